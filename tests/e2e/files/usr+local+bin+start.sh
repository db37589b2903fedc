#!/bin/sh
# Stands in for a notebook server: says its arguments, and serves the folders that it was given.
mkdir -p /tmp/page
echo "$*" >/tmp/page/index.html
exec idle httpd -f -p 8888 -h /tmp/page
