#!/bin/sh
# Installs the browser that the tests open the report in: Debian's chromium, where it is missing and this is root.
# Never fails: without it, those tests are skipped.
for program in chromium chromium-browser google-chrome; do
    command -v "$program" >/dev/null 2>&1 && exit 0
done
missing="the tests that open the report in a browser are skipped: chromium is missing"
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "browser: $missing (apt-get install chromium, as root)"
    exit 0
fi
echo "browser: installing chromium with apt-get (about 300 MB)"
{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } \
    >/dev/null 2>&1 || echo "browser: $missing (apt-get could not install it)"
exit 0
