#!/usr/bin/env bash
# Runs a test of the GPU; ends with status 77, which CTest calls skipped, where the driver has made no device.
[ -e /dev/nvidiactl ] || [ -e /dev/dxg ] || exit 77
exec "$@"
