# shellcheck shell=bash disable=SC2016,SC2034,SC2154 # formats of apt; provision's variables
# source.sh has provision build a kernel from Debian's source, configured by
# "make tinyconfig" and the fragment of the series.
#
# Where the series is no longer there the next newer one stands in for it: the
# suite that new kernels come to keeps no old ones.

recipe="1 $(sha256sum <"$fragment" | cut -c1-16)" # counted up as that of debian.sh is
programs=(flex bison bc)
room=4000 kept=85
files=1600 # that a build compiles, more or less

# sets prints series, version, suite and name of every kernel source.
sets() {
  local suite file
  targets '$(RELEASE) $(FILENAME)' | while read -r suite file; do
    awk -v RS= -v FS='\n' -v suite="$suite" '
      /^Package: linux-source-[0-9]+\.[0-9]+\n/ {
        for (i = 1; i <= NF; i++) {
          if ($i ~ /^Package: /) name = substr($i, 10)
          if ($i ~ /^Version: /) version = substr($i, 10)
        }
        print substr(name, 14), version, suite, name
      }' "$file"
  done
}

# choose sets $set to the newest source of the first series that will do.
choose() {
  set=$(sets | sort -V | while read -r line; do
    ! printf '%s\n' "$series" "${line%% *}" | sort -VC || echo "$line"
  done | awk 'NR == 1 {first = $1} $1 == first {line = $0} END {print line}')
  [ -n "$set" ]
}

# find_packages sets $set, from the machine's own suites or where new kernels
# come first.
find_packages() {
  own_lists
  ! choose || return 0
  other_lists sid Debian && choose && return
  die "no suite offers the source of Linux $series or newer${complaint:+ (apt: $complaint)}; $instead"
}

# patiently runs make, says how far it is, and can be interrupted.
patiently() {
  local next=30 code=0
  SECONDS=0
  nice make "$@" >"$work/log" 2>&1 9>&- &
  job=$!
  while kill -0 "$job" 2>/dev/null; do
    sleep 1
    [ "$SECONDS" -lt "$next" ] || { say "compiled $(grep -c '^  CC ' "$work/log") of about $files files after $SECONDS s"; next=$((next + 30)); }
  done
  wait "$job" || code=$?
  job=
  return $code
}

# configure_kernel makes .config, and fails unless it has all of the fragment.
configure_kernel() {
  local lost
  {
    "${kbuild[@]}" tinyconfig && cat "$fragment" >>"$work/build/.config" && "${kbuild[@]}" olddefconfig
  } >"$work/log" 2>&1 || { cat "$work/log" >&2; die "Linux $version cannot be configured"; }
  lost=$(grep -E '^(# )?CONFIG_' "$fragment" | grep -vxFf "$work/build/.config") || return 0
  die "Linux $version does not take from ${fragment##*/}: ${lost//$'\n'/, }"
}

# obtain makes $new of the source in $set.
obtain() {
  local found name tree headers kbuild
  read -r found version suite name <<<"$set"
  [ "$found" = "$series" ] || say "there is no source of $series any more, so $found stands in for it"
  choose_compiler gcc
  fetch "$name=$version"
  say "unpacking"
  dpkg-deb --fsys-tarfile "$debs/${name}_"* | tar -xO "./usr/src/$name.tar.xz" | tar -xJC "$work"
  rm "$debs/${name}_"*
  tree=$work/$name
  mkdir "$work/build"
  kbuild=(make -C "$tree" O="$work/build" CC="$compiler")
  configure_kernel
  say "building Linux $version, some minutes"
  patiently "${kbuild[@]:1}" -j"$(nproc)" bzImage modules || { grep -v '^  [A-Z]' "$work/log" | tail -n 40 >&2; die "Linux $version does not build with $("$compiler" --version | head -n 1)"; }

  release=$(<"$work/build/include/config/kernel.release")
  "${kbuild[@]}" INSTALL_MOD_PATH="$new" modules_install >"$work/log" 2>&1 || { cat "$work/log" >&2; die "the modules of Linux $version cannot be installed"; }
  rm -f "$new/lib/modules/$release"/{build,source}
  mkdir -p "$new/lib/modules/$release/updates"
  ln -s "lib/modules/$release" "$new/modules"
  cp "$work/build/arch/x86/boot/bzImage" "$new/vmlinuz"
  cp "$work/build/.config" "$new/config"
  # The kernel's own script for what a module's build needs; make runs it with
  # its variables.
  headers=$new/headers
  "${kbuild[@]}" run-command KBUILD_RUN_COMMAND="'$tree/scripts/package/install-extmod-build' '$headers'" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; die "the headers of Linux $version cannot be installed"; }
}
