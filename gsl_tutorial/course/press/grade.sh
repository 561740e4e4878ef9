#!/bin/sh
# Grades every submission by itself, in a sandbox: sh grade.sh
#
# A submission is a program of somebody else. Here it sees no network, may write into a scratch copy of this
# course only, and is ended after 15 minutes with all that it started. What goes wrong in one submission, a
# cell that occurs twice or a kernel that dies, costs nobody else anything: it is named, and the next one
# follows. It needs Linux with user namespaces (unshare, of util-linux); without them it stops and says so.
# The grades lie in grades.csv afterwards, the graded notebooks in autograded.
#
# What it does not do: it hides nothing. A submission can read what you can read.
set -u
course=$(cd "$(dirname "$0")" && pwd)
seconds=${GRADE_SECONDS:-900}
: "${NBGRADER:=nbgrader}"

inside='
set -e
mount --bind "$1" "$1"
for at in $(cut -d" " -f2 /proc/self/mounts | sort -u); do
  case $at in
    /proc*|/dev*|/sys*|"$1") ;;
    *) mount -o remount,bind,ro "$at" 2>/dev/null || { echo "cannot protect $at" >&2; exit 97; } ;;
  esac
done
cd "$1"
export HOME="$1" TMPDIR="$1/tmp" IPYTHONDIR="$1/tmp" JUPYTER_RUNTIME_DIR="$1/tmp" JUPYTER_DATA_DIR="$1/tmp"
shift
exec "$@"'

sandboxed() { # folder command...
  folder=$1
  shift
  timeout --kill-after=10 "$seconds" unshare --user --map-root-user --mount --net --pid --ipc \
    --fork --kill-child --mount-proc sh -c "$inside" sh "$folder" sh -c '
      ip link set lo up 2>/dev/null || true
      ulimit -f 2000000 -u 4000 2>/dev/null
      exec "$@"' sh "$@"
}

try=$(mktemp -d)
# It must let a program start another and write, as nbgrader does.
if ! sandboxed "$try" sh -c ': > tried && rm tried & wait $!'; then
  echo "No sandbox here. Grade in a container or a virtual machine instead; INSTRUCTORS.md says how." >&2
  exit 1
fi
rmdir "$try"

cd "$course" || exit 1
mkdir -p autograded
failed=0
head=
: > grades.csv.new
for student in submitted/*/; do
  name=$(basename "$student")
  scratch=$(mktemp -d)
  mkdir -p "$scratch/submitted" "$scratch/tmp"
  cp -R source notebooks nbgrader_config.py gradebook.db release "$scratch/" 2>/dev/null
  cp -R "$student" "$scratch/submitted/$name"
  if sandboxed "$scratch" sh -c '
      "$1" autograde notebooks --student "$2" --create > tmp/log 2>&1 && "$1" export > tmp/log2 2>&1' \
      sh "$NBGRADER" "$name"; then
    rm -rf "autograded/$name"
    [ -L "$scratch/autograded" ] || cp -RP "$scratch/autograded/$name" "autograded/$name"
    [ -n "$head" ] || { head=$(head -n 1 "$scratch/grades.csv"); echo "$head" > grades.csv.new; }
    grep -F -- ",$name," "$scratch/grades.csv" >> grades.csv.new
    echo "$name: graded"
  else
    failed=$((failed + 1))
    echo "$name: NOT graded; look at it yourself. The last lines:"
    tail -n 3 "$scratch/tmp/log" 2>/dev/null | tr -d '\000-\010\013-\037'
  fi
  rm -rf "$scratch"
done
mv grades.csv.new grades.csv
echo "$failed not graded"
