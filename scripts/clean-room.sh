#!/bin/bash
# clean-room.sh [REPOSITORY] [FOLDER] [root|dev|start]: proves that the two commands work on a bare machine. Makes bare Debian roots in
# FOLDER (/tmp/cleanroom-$SUITE) with git and this machine's Node and npm, clones REPOSITORY (this clone) into them, runs `npm test` and
# `npm start`, and leaves logs and screenshots in artifacts/clean-room. SUITE in the environment is bookworm (Debian 12, the default) or
# trixie (13). Needs root and debootstrap, and uses this machine's own mirror of Debian and registry of npm. There are two roots, entered by
# chroot, without user namespaces, and without mount namespaces for the clone:
#
#   root   everything as root, in /root, which is closed to others
#   dev    everything as a user who may sudo
#   start  only `npm start`, as root
set -euo pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
repository=$(realpath "${1:-$here}")
suite=${SUITE:-bookworm} # or trixie
folder=$(realpath -m "${2:-/tmp/cleanroom-$suite}")
results=$here/artifacts/clean-room/$suite
registry=$(npm config get registry 2>/dev/null)
authorities=/opt/authorities.pem # in a root: the additional authorities that this machine trusts

# All mounts and processes are in namespaces of this script's own, so they are gone when it ends, however it ends.
if [ -z "${CLEAN_ROOM_INSIDE:-}" ]; then
  exec env CLEAN_ROOM_INSIDE=1 unshare --mount --pid --fork --kill-child "$0" "$repository" "$folder" "${3:-}"
fi

mkdir -p "$results" "$folder"
# Root runs the files in this folder, and anyone can create it in /tmp, so a folder of another user is refused.
[ -O "$folder" ] && [ ! -L "$folder" ] || { echo "clean-room: $folder is not yours; name another folder." >&2; exit 2; }
date() { command date +%T; }
say() { echo "clean-room $(date): $*"; }

bare_root() { # once; the roots are copies of it
  [ -e "$folder/bare/complete" ] && return
  say "debootstrap into $folder/bare"
  rm -rf "$folder/bare"
  mirror=$(grep -rhoE 'https?://[^ ]*/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null | head -1 || true)
  debootstrap --variant=minbase --include=git "$suite" "$folder/bare" ${mirror:+"$mirror"} >"$results/debootstrap.log"

  node=$(node -p process.execPath)
  npm=$(npm root -g)/npm
  mkdir -p "$folder/bare/usr/local/lib/node_modules"
  cp -L "$node" "$folder/bare/usr/local/bin/node"
  cp -r "$npm" "$folder/bare/usr/local/lib/node_modules/npm"
  for name in npm npx; do ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$folder/bare/usr/local/bin/$name"; done
  touch "$folder/bare/complete"
}

new_root() {
  root=$folder/$1
  rm -rf "$root"
  cp -a --reflink=auto "$folder/bare" "$root"
  # This machine's way to Debian's mirror and to npm's registry.
  rm -f "$root/etc/apt/sources.list"
  for path in /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources /etc/apt/apt.conf.d /etc/resolv.conf /etc/hosts; do
    [ ! -e "$path" ] || cp -rL "$path" "$root$(dirname "$path")/"
  done
  sed -i "s/bookworm/$suite/g" "$root"/etc/apt/sources.list "$root"/etc/apt/sources.list.d/* 2>/dev/null || true
  [ -z "${NODE_EXTRA_CA_CERTS:-}" ] || cp -L "$NODE_EXTRA_CA_CERTS" "$root$authorities"
  mount -t proc proc "$root/proc"
  mount --rbind /dev "$root/dev"
  mount --make-rslave "$root/dev"
  mkdir -p "$root/mnt/repository"
  mount --bind -o ro "$repository" "$root/mnt/repository"
}

inside() { # inside USER COMMAND…: with a clean environment
  local user=$1
  shift
  chroot "$root" setpriv --reuid="$user" --regid="$user" --init-groups env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin \
    HOME="$(chroot "$root" getent passwd "$user" | cut -d: -f6)" TERM=dumb LANG=C.UTF-8 CI="${CI:-}" \
    ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS=$authorities npm_config_cafile=$authorities} \
    npm_config_registry="$registry" "$@"
}

tests() { # tests USER CLONE NAME
  say "$3: npm test as $1, in $2"
  local status=0
  CI=true inside "$1" bash "$2/.ci/run" </dev/null >"$results/$3-test.log" 2>&1 || status=$?
  say "$3: npm test ended with $status: $(tail -1 "$results/$3-test.log")"
  [ "$status" = 0 ] || failed=1
}

# start USER CLONE NAME [prefix…]: until there is a screenshot; then Ctrl-C, after which nothing may be left.
start() {
  local user=$1 clone=$2 name=$3 seconds=0
  shift 3
  say "$name: npm start as $user, in $clone"
  rm -f "$root$clone/artifacts/window.png"
  set -m # a process group of its own, as a terminal gives it, for Ctrl-C
  CI='' inside "$user" "$@" npm --prefix "$clone" start </dev/null >"$results/$name-start.log" 2>&1 &
  local job=$!
  set +m
  until [ -e "$root$clone/artifacts/window.png" ] || [ $seconds -ge 600 ] || ! kill -0 $job 2>/dev/null; do
    sleep 1
    seconds=$((seconds + 1))
  done
  sleep 5 # the window may not have been complete
  say "$name: a screenshot after $seconds seconds"
  cp "$root$clone/artifacts/window.png" "$results/$name-window.png" || failed=1
  kill -INT -- -$job
  wait $job 2>/dev/null || true
  sleep 3
  local left
  left=$(ps -eo pid=,stat=,args= | awk '$2 !~ /Z/' | grep -E 'Xvfb|dbus-daemon|gnome-keyring|electron|session\.mjs' | grep -v grep || true)
  if [ -n "$left" ]; then
    say "$name: left behind: $left"
    failed=1
  fi
}

failed=0
mount -t proc proc /proc
bare_root

prove_root() {
  new_root root
  inside root git clone -q /mnt/repository /root/tokenkeep
  start root /root/tokenkeep root
  tests root /root/tokenkeep root
  start root /root/tokenkeep root-again
}

prove_start() {
  new_root start
  inside root git clone -q /mnt/repository /root/tokenkeep
  start root /root/tokenkeep start
}

prove_dev() {
  new_root dev
  inside root apt-get -qq update
  inside root apt-get -qq install -y --no-install-recommends sudo >/dev/null
  inside root useradd --create-home -K HOME_MODE=0700 --shell /bin/bash dev
  echo 'dev ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/dev"
  inside root git clone -q /mnt/repository /home/dev/tokenkeep # git lets no one else read root's repository
  inside root chown -R dev:dev /home/dev/tokenkeep
  start dev /home/dev/tokenkeep dev
  tests dev /home/dev/tokenkeep dev
}

for proof in ${3:-root dev}; do prove_"$proof"; done

say "$([ $failed = 0 ] && echo 'all is well' || echo 'something failed'); see $results"
exit $failed
