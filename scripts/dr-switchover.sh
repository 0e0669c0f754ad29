#!/usr/bin/env bash
# Make sure that a stopped consumer group can go on at another cluster, and say where.
#
#   dr-switchover.sh --group G --from A --to B [--timeout SECONDS] [--admin host:port,...]
#
# It waits until the group's last commit at A is translated and committed at B, and verifies that by reading the commits back
# from B. It changes nothing itself: meshd's nodes place groups every second, and this looks at what they did.
#
# Exit: 0 the group can start at B, 1 it could not be verified in time, 2 bad usage, 3 refused: the group has members.
# Environment: MESHD (the meshd binary; default: meshd), MESHD_ADMIN.
set -euo pipefail

usage() { sed -n '2,${/^#/!q;s/^# \{0,1\}//p;}' "$0" >&2; exit 2; }
die() { echo "dr-switchover: $*" >&2; exit 1; }

GROUP='' FROM='' TO='' TIMEOUT=60 MESHD=${MESHD:-meshd}
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --group) GROUP=$2 ;;
    --from) FROM=$2 ;;
    --to) TO=$2 ;;
    --timeout) TIMEOUT=$2 ;;
    --admin) export MESHD_ADMIN=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[ -n "$GROUP" ] && [ -n "$FROM" ] && [ -n "$TO" ] && [[ $TIMEOUT =~ ^[0-9]+$ ]] || usage
command -v "$MESHD" >/dev/null || die "no $MESHD in PATH; set MESHD to the binary"

# members prints the clusters where the group has members, as meshd saw them in its last round.
members() { "$MESHD" groups | awk -v g="$GROUP" 'NR == 1 { at = index($0, "IN USE AT"); to = index($0, "SYNCED") } $1 == g { u = substr($0, at, to - at); gsub(/ /, "", u); if (u != "-") print u }' | sort -u; }

# places FROM TO prints "topic partition offset to-topic to-offset how" for each commit of the group at FROM, read now.
places() { "$MESHD" translate --group "$GROUP" --from "$1" --to "$2" 2>&1 | awk 'NR > 1 { gsub(/,/, ""); print $1, $2, $3, $4, $5, $6 }'; }

used=$(members) || die "the nodes could not be asked; is --admin right?"
if [ -n "$used" ]; then
  echo "dr-switchover: refused: group $GROUP has members at $used. Stop its consumers, wait for their session timeout, and run this again." >&2
  exit 3
fi

began=$SECONDS
while :; do
  wanted=$(places "$FROM" "$TO") || wanted=''
  there=$(places "$TO" "$FROM") || there=''
  if [ -n "$wanted" ]; then
    # A place at B is good if it is what the commit at A translates to, or further on.
    missing=$(awk 'NR == FNR { at[$1 " " $2] = $3; next } { if (!(($4 " " $2) in at) || at[$4 " " $2] + 0 < $5 + 0) print $4 "/" $2 }' \
      <(echo "$there") <(echo "$wanted"))
    [ -n "$missing" ] || break
  else
    missing="any commit of the group at $FROM"
  fi
  if [ $((SECONDS - began)) -ge "$TIMEOUT" ]; then
    echo "dr-switchover: not verified within $TIMEOUT s; not at $TO yet:" >&2
    echo "$missing" >&2
    echo "meshd groups --partitions says why. Nothing was changed by this script." >&2
    exit 1
  fi
  sleep 1
done

echo "Group $GROUP can start at $TO. Read back from $TO after $((SECONDS - began)) s:"
awk 'NR == FNR { at[$1 " " $2] = $3; next } { printf "  %-40s at %12s   (%s at %s: %s, %s)\n", $4 "/" $2, at[$4 " " $2], $1 "/" $2, from, $3, $6 }' from="$FROM" \
  <(echo "$there") <(echo "$wanted")
cat <<EOF
Done: it was checked that the group has no members, and that every commit at $FROM is translated and committed at $TO.
Not done, and yours to do: stopping producers at $FROM, waiting until their last records are copied (meshd flows shows the lag),
moving clients or DNS, starting the consumers at $TO. Nothing keeps anybody from starting the group at $FROM again.
EOF
