# shellcheck shell=bash disable=SC2016,SC2154 # formats of apt and make; provision's variables
# debian.sh has provision take a Debian kernel, and build vkms for it.
#
# Debian's kernels lack vkms, and a module loads into exactly one version: so
# image, headers, kbuild and source must have one version, and be in one suite.

recipe=1 # counted up when this script would build another cache from the same packages
programs=()
room=400 kept=120

# sets prints, for every complete set of packages, its version, suite,
# compiler, and names.
sets() {
  local suite file
  targets '$(RELEASE) $(FILENAME)' | while read -r suite file; do
    awk -v RS= -v FS='\n' -v series="$series" -v suite="$suite" '
      !/^Package: linux-(source|image|headers|kbuild)-/ { next }
      {
        depends = ""
        for (i = 1; i <= NF; i++) {
          if ($i ~ /^Package: /) name = substr($i, 10)
          if ($i ~ /^Version: /) version = substr($i, 10)
          if ($i ~ /^Depends: /) depends = substr($i, 10)
        }
        have[name, version] = 1
        if (name == "linux-source-" series) source[version] = 1
        if (name ~ /^linux-headers-[0-9].*-amd64$/ && name !~ /-(rt|cloud)-amd64$/) headers[name, version] = depends
      }
      END {
        for (key in headers) {
          split(key, part, SUBSEP); name = part[1]; version = part[2]
          release = name; sub(/^linux-headers-/, "", release)
          common = name; sub(/amd64$/, "common", common)
          kbuild = "linux-kbuild"; compiler = "gcc"
          n = split(headers[key], need, /[ ,|]+/)
          for (i = 1; i <= n; i++) {
            if (need[i] ~ /^linux-kbuild-/) kbuild = need[i]
            if (match(need[i], /gcc-[0-9]+/)) compiler = substr(need[i], RSTART, RLENGTH)
          }
          image = "linux-image-" release
          if (!((image, version) in have)) image = image "-unsigned"
          if (version in source && (image, version) in have && (common, version) in have && (kbuild, version) in have)
            print version, suite, compiler, release, image, name, common, kbuild, "linux-source-" series
        }
      }' "$file"
  done
}

# choose sets $set to the newest set of the lists fetched last.
choose() { set=$(sets | sort -V | tail -n 1); [ -n "$set" ]; }

# find_packages sets $set, from the machine's own suites or Debian's others.
find_packages() {
  own_lists
  ! choose || return 0
  other_lists "$debian-backports" Debian && choose && return
  other_lists trixie Debian trixie-security Debian-Security && choose && return
  die "no suite offers image, headers, kbuild and source of one $series version${complaint:+ (apt: $complaint)}; $instead"
}

# prune keeps the modules that a VM of gemtool may need, and what they need.
prune() {
  local tree=$1
  awk -F: '
    $1 ~ "^kernel/(drivers/(gpu|accel|virtio|dma-buf|block/(virtio_blk|loop|zram)|char/virtio_console|media/test-drivers|usb/(core|host|gadget))|net/(9p|unix)|fs/(9p|netfs|overlayfs|squashfs|isofs|ext4|fat|fuse))/?" {
      keep[$1]; n = split($2, deps, " "); for (i = 1; i <= n; i++) keep[deps[i]]
    }
    END { for (k in keep) print k }' "$tree/modules.dep" | sort >"$work/keep"
  (cd "$tree" && find kernel -type f | sort | comm -23 - "$work/keep" | xargs -d '\n' rm -f && find kernel -type d -empty -delete)
}

# unpack makes $new of the packages: kernel, modules, headers.
unpack() {
  local tree=$new/lib/modules/$release makefile deb
  dpkg-deb --fsys-tarfile "$debs/${image}_"* | tar -xC "$new" --wildcards './boot/*' './*lib/modules/*'
  [ -d "$tree" ] || mv "$new/usr/lib" "$new" # where a suite has merged /lib into /usr/lib
  mv "$new/boot/vmlinuz-$release" "$new/vmlinuz"
  mv "$new/boot/config-$release" "$new/config"
  rm -r "${new:?}/boot" "$debs/${image}_"*
  ln -s "lib/modules/$release" "$new/modules"
  depmod -b "$new" "$release"
  prune "$tree"

  for deb in "$headers" "$common" "$kbuild"; do dpkg-deb -x "$debs/${deb}_"* "$new"; done
  rm -rf "$tree/build" "$tree/source" "${new:?}"/usr/{lib/modules,share}
  ln -s "usr/src/$headers" "$new/headers"
  # The one absolute path in them becomes relative to the file that says it.
  makefile=$new/headers/Makefile
  sed -i 's|^include /usr/src/|include $(dir $(lastword $(MAKEFILE_LIST)))../|' "$makefile"
  ! grep -n ' /usr/src' "$makefile" || die "$headers has a Makefile unlike those known; $instead"
  # Without it the build makes no BTF for modules, which would need pahole.
  rm -f "$new/headers/vmlinux"
}

# lend gives kbuild's programs the libraries of their own suite, where this
# system's are too old for them.
lend() {
  local libs=$new/usr/lib/lent deb program dir
  find "$new/usr/lib/$kbuild" -type f -perm -1 | while read -r program; do
    case $(ldd "$program" 2>&1) in *"not found"*) echo "$program" ;; esac
  done >"$work/programs"
  [ -s "$work/programs" ] || return 0
  say "the programs of $kbuild need newer libraries than this system has"
  # shellcheck disable=SC2046 # a list of names
  fetch $(dpkg-deb -f "$debs/${kbuild}_"* Depends | tr ',' '\n' | sed -n 's/^ *\(libc6\|libelf[^ ]*\|libssl[^ ]*\|zlib1g\).*/\1/p')
  for deb in "$debs"/{lib,zlib}*; do dpkg-deb -x "$deb" "$libs"; done
  while read -r program; do
    dir=$(realpath --relative-to="${program%/*}" "$libs")
    mv "$program" "$program.elf"
    cat >"$program" <<END
#!/bin/sh
libs=\${0%/*}/$dir
exec "\$libs/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "\$libs/usr/lib/x86_64-linux-gnu" "\$0.elf" "\$@"
END
    chmod +x "$program"
  done <"$work/programs"
}

# build builds vkms out of tree: Debian has its source, but does not build it.
build() {
  local path=drivers/gpu/drm/vkms
  dpkg-deb --fsys-tarfile "$debs/linux-source-${series}_"* | tar -xO "./usr/src/linux-source-$series.tar.xz" |
    tar -xJC "$work" "linux-source-$series/$path" || die "$path is not in the package linux-source-$series"
  # trixie's headers were configured for a newer compiler than bookworm has.
  if ! "$compiler" -fmin-function-alignment=16 -x c -S -o /dev/null /dev/null 2>/dev/null; then
    sed -i '/^CONFIG_CC_HAS_MIN_FUNCTION_ALIGNMENT=y$/d' "$new/headers/include/config/auto.conf"
  fi
  build_module vkms "$work/linux-source-$series/$path" CONFIG_DRM_VKMS=m
}

# obtain makes $new of the packages in $set.
obtain() {
  read -r version suite wanted release image headers common kbuild source <<<"$set"
  choose_compiler "$wanted"
  fetch "$image=$version" "$headers=$version" "$common=$version" "$kbuild=$version" "$source=$version"
  unpack
  lend
  build
}
