#!/bin/sh
# Installs Debian packages into an image: install.sh PACKAGE... Left out are documents but for
# licences, translations, and libraries that these packages bring along and nothing here is
# linked to; a program that came to need one would not start, which tests/deploy/images.sh sees.
set -eu

libraries='/usr/lib/*-linux-gnu'
apt-get update
apt-get install -y --no-install-recommends \
  -o Dpkg::Options::='--path-exclude=/usr/share/doc/*/*' \
  -o Dpkg::Options::='--path-include=/usr/share/doc/*/copyright' \
  -o Dpkg::Options::='--path-exclude=/usr/share/locale/*' \
  -o Dpkg::Options::="--path-exclude=$libraries/libgrpc_unsecure.so*" \
  -o Dpkg::Options::="--path-exclude=$libraries/libgrpc++_unsecure.so*" \
  -o Dpkg::Options::="--path-exclude=$libraries/libgrpc_plugin_support.so*" \
  -o Dpkg::Options::="--path-exclude=$libraries/libgrpcpp_channelz.so*" \
  -o Dpkg::Options::="--path-exclude=$libraries/libprotoc.so*" \
  "$@"
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/*-old /var/lib/dpkg/*-old \
  /var/log/*
