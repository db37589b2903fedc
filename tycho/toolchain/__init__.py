"""Programs that Tycho runs and does not bring: found, downloaded with their checksums, or built from source.

programs -> download, build
"""
