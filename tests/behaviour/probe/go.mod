module tycho.local/probe

go 1.23
