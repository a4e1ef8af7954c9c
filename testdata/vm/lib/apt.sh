# shellcheck shell=bash disable=SC2016 # formats of apt
# apt.sh has provision's functions to find and fetch packages with apt, without
# the system's own state. They use $work, $debs, and say and die.

# private runs an apt program with the machine's configuration and own state.
private() { local p=$1; shift; "$p" -c "$work/apt.conf" "$@"; }

# configure writes the private part of apt's configuration. Given a file, that
# is apt's only source; else the machine's own sources are used.
configure() {
  mkdir -p "$work/apt/lists/partial" "$work/apt/cache/archives/partial" "$work/apt/none"
  : >"$work/apt/status"
  {
    [ -z "${1-}" ] || printf 'Dir::Etc::%s;\n' "sourcelist \"$1\"" "sourceparts \"$work/apt/none\""
    cat <<END
Dir::Etc::preferences "$work/apt/none/preferences";
Dir::Etc::preferencesparts "$work/apt/none";
Dir::State "$work/apt";
Dir::State::lists "$work/apt/lists";
Dir::State::status "$work/apt/status";
Dir::Cache "$work/apt/cache";
APT::Architecture "amd64";
#clear APT::Architectures;
APT::Architectures { "amd64"; };
APT::Sandbox::User "root";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
Acquire::GzipIndexes "false";
Acquire::Languages "none";
END
    apt-config dump | sed -n 's/^\(Acquire::IndexTargets::deb\(-src\)\?::[^:]*\)::MetaKey.*/\1/p' |
      grep -v '::deb::Packages$' | sed 's/$/::DefaultEnabled "false";/' || true
  } >"$work/apt.conf"
}

# lists fetches package lists. A source that cannot be read is named and left
# out; with none at all lists fails.
lists() {
  say "reading the package lists of $1 (about 10 MB)"
  private apt-get -q update >"$work/log" 2>&1 || true
  complaint=$(complaint)
  [ -n "$(targets '$(RELEASE)')" ] || return 1
  [ -z "$complaint" ] || say "apt: $complaint" >&2
}

# complaint prints the first thing that apt found wrong.
complaint() { sed -n 's/^[EW]: *//p' "$work/log" | head -n 1; }

# targets prints a line for every package list there is.
targets() { private apt-get indextargets --format "$1" 'Created-By: Packages'; }

# foreign writes a source for suites that the machine is not configured with.
# Mirror and key are those of its own sources. $1 is the file; then comes, for
# each suite, its name and the label that its mirror's lists have.
foreign() {
  local file=$1 uri entry key
  : >"$file"
  while shift && [ $# -gt 0 ]; do
    uri='' && IFS='|' read -r uri entry < <(awk -F'|' -v label="$2" '$1 == label {print $2 "|" $3; exit}' "$work/own") || true
    if [ -n "$uri" ]; then
      key=$(sed -nE 's/.*[Ss]igned-[Bb]y[:=] *(\/[^] ]*).*/\1/p' "${entry%:*}" | head -n 1)
      echo "deb [signed-by=${key:-/usr/share/keyrings/debian-archive-keyring.gpg}] $uri $1 main" >>"$file"
    fi
    shift
  done
  [ -s "$file" ]
}

# own_lists reads the lists of the machine's own suites, and fails where other
# suites of Debian must not be asked. It sets $codename.
own_lists() {
  local ID='' ID_LIKE='' VERSION_CODENAME='' PRETTY_NAME=''
  # shellcheck source=/dev/null
  [ ! -r "$osrelease" ] || . "$osrelease"
  case " $ID $ID_LIKE " in
  *" ubuntu "*) die "$PRETTY_NAME has no Debian kernel, but its own has vkms: say --kernel host (make demo KERNEL=host), or pass --kernel PATH --modules DIR" ;;
  esac
  configure
  lists "the configured suites" || die "no package list could be read${complaint:+: $complaint}; $instead"
  debian=$([ "$ID" != debian ] || echo "$VERSION_CODENAME")
}

# other_lists goes on with other suites of Debian, named as for foreign.
other_lists() {
  [ -n "$debian" ] || return 1
  [ -e "$work/own" ] || targets '$(LABEL)|$(REPO_URI)|$(SOURCESENTRY)' >"$work/own"
  configure "$work/sources.list"
  foreign "$work/sources.list" "$@" && lists "$1"
}

# fetch downloads the packages named, having said what, how large, and where
# to. Beside them $room MB are needed, and $kept stay.
fetch() {
  local uris=$work/uris total free need size file
  private apt-get --print-uris download "$@" >"$uris" 2>"$work/log" || die "apt does not offer what its lists say: $(complaint)"
  total=$(awk '{n += $3} END {print int(n / 1e6)}' "$uris")
  say "to download from $suite, $total MB in all, into $kernels ($kept MB are kept):"
  awk '{print $3, $1, $2}' "$uris" | while read -r size _ file; do printf '  %5d MB  %s\n' $(((size + 500000) / 1000000)) "${file//%3a/:}"; done
  free=$(df -Pk "$work" | awk 'NR == 2 {print int($4 / 1000)}')
  need=$((total + room))
  [ "$free" -ge "$need" ] || die "$kernels has $free MB free and building takes $need MB: make room, or set XDG_CACHE_HOME"
  (cd "$debs" && private apt-get -q download "$@") 2>"$work/log" ||
    die "download failed: $(complaint)"
  awk '{sub(/^SHA256:/, "", $4); print "package", $2, $4}' "$uris" >>"$work/taken"
}
