#!/usr/bin/env bash
# Runs every test and ends with "N passed, N failed". Installs what the tests need (Debian) when it runs as root.
#   ./test.sh                            everything, system tests too
#   ./test.sh Category!=System           what a developer runs between two edits (any filter of "dotnet test")
#   ./test.sh FullyQualifiedName~Leases -v n
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

has_postgres() { compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null; }
has_sasl() { [ -x /usr/sbin/saslpasswd2 ] && compgen -G '/usr/lib/*/sasl2/libplain.so*' >/dev/null; }
has_dkimpy() { [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import dkim, nacl' 2>/dev/null; }
has_sink() { [ -x /usr/sbin/smtp-sink ] || [ -x /usr/lib/postfix/sbin/smtp-sink ]; }

install_missing() {
  local packages=()
  has_postgres || packages+=(postgresql)
  has_sink || packages+=(postfix) # smtp-sink, and private instances; the system's own is never started
  has_sasl || packages+=(sasl2-bin libsasl2-modules)
  [ -x /usr/sbin/opendkim ] || packages+=(opendkim)
  has_dkimpy || packages+=(python3-dkim python3-nacl)
  [ ${#packages[@]} -gt 0 ] || return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The tests need ${packages[*]}. Install with: sudo apt-get install ${packages[*]}" >&2
    exit 1
  fi

  # The tests start servers of their own: whatever the packages would start (or configure) stays off.
  local policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
    trap "rm -f $policy" RETURN
  fi
  echo "Installing ${packages[*]} ..."
  apt-get update -q
  if [[ " ${packages[*]} " == *" postfix "* ]]; then
    echo "postfix postfix/main_mailer_type select No configuration" | debconf-set-selections
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${packages[@]}"
}

command -v dotnet >/dev/null || { echo "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download" >&2; exit 1; }
install_missing

arguments=("$@")
if [ $# -gt 0 ] && [[ "$1" != -* ]]; then
  arguments=(--filter "$1" "${@:2}")
fi

dotnet build Edm.Akka.sln -c Release -v q -clp:ErrorsOnly

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0 failed=0 skipped=0

# One project after the other: on two cores, a crash test beside a property test would only make both slow.
for project in tests/*/*.csproj; do
  grep -q '<IsTestProject>true' "$project" || continue
  name=$(basename "$project" .csproj)
  echo "== $name"
  status=0
  dotnet test "$project" --no-build -c Release --results-directory "$results" \
    --logger "trx;LogFileName=$name.trx" --logger "console;verbosity=minimal" \
    --blame-hang-timeout 20m --blame-hang-dump-type none "${arguments[@]}" || status=$?

  counters=$(grep -o '<Counters [^>]*>' "$results/$name.trx" 2>/dev/null || true)
  count() { sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" <<<"$counters"; }
  project_failed=$(( $(count failed) + $(count error) + $(count timeout) + $(count aborted) + 0 ))
  # A test host that died, or a run that was cut off, fails even when every test that reported had passed.
  if [ "$status" != 0 ] && [ "$project_failed" = 0 ]; then
    echo "$name ended with status $status without a failed test: it was cut off." >&2
    project_failed=1
  fi
  passed=$((passed + $(count passed) + 0))
  failed=$((failed + project_failed))
  skipped=$((skipped + $(count total) - $(count executed) + 0))
done

[ "$skipped" = 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
