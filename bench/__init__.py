"""Speed, measured: whole processes side by side in one run, medians, and what was promised.

python -m bench [NAME…]     every module here with a `main()`, or those named
"""
