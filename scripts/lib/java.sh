# Java for the scripts beside this folder: finds a JDK of 17 or later and Maven, or installs them. Sourced, not run.

say() { printf '%s\n' "$*" >&2; }
die() { say "${0##*/}: $*"; exit 1; }

# java_bin prints the java to use: $JAVA_HOME's, else the one on the path.
java_bin() {
  if [ -n "${JAVA_HOME:-}" ] && [ -x "$JAVA_HOME/bin/java" ]; then
    printf '%s\n' "$JAVA_HOME/bin/java"
  else
    command -v java
  fi
}

# java_ok says whether that java is 17 or later.
java_ok() {
  local java major
  java=$(java_bin) || return 1
  major=$("$java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p;q')
  [ "${major:-0}" -ge 17 ]
}

# java_install installs what is missing with the system's package manager.
java_install() { # need...
  say "installing with the system's package manager: $*"
  if command -v apt-get >/dev/null; then
    java_install_apt "$@"
  elif command -v dnf >/dev/null; then
    dnf install -y -q "${@/jdk/java-21-openjdk-devel}" || dnf install -y -q "${@/jdk/java-17-openjdk-devel}"
  elif command -v apk >/dev/null; then
    apk add --quiet "${@/jdk/openjdk17-jdk}"
  fi >&2
}

java_install_apt() {
  local jdk
  apt-get update -qq
  for jdk in openjdk-17-jdk-headless openjdk-21-jdk-headless default-jdk-headless; do
    if [ -n "$(apt-cache policy "$jdk" | sed -n 's/ *Candidate: \(.*\)/\1/p' | grep -v none)" ]; then break; fi
  done
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${@/jdk/$jdk}"
}

# java_need makes sure of what it is given, "jdk" or "maven", or stops and says what to install.
java_need() { # need...
  local need missing=()
  for need in "$@"; do
    case $need in
      jdk) java_ok || missing+=(jdk) ;;
      maven) command -v mvn >/dev/null || missing+=(maven) ;;
    esac
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && { command -v apt-get || command -v dnf || command -v apk; } >/dev/null; then
    java_install "${missing[@]}" || die "the package manager could not install: ${missing[*]}"
    hash -r
    case " ${missing[*]} " in *" jdk "*) java_ok || die "Java 17 or later is still not on the path" ;; esac
    return
  fi
  die "missing: ${missing[*]}. Install a JDK of 17 or later and Apache Maven (Debian: apt-get install openjdk-17-jdk-headless maven;
Fedora: dnf install java-21-openjdk-devel maven; Alpine: apk add openjdk17-jdk maven; macOS: brew install openjdk maven), then try again."
}
