# sh view.sh STAGE [CLOSED PATH]… -- COMMAND [arguments]: to be run by root in a mount namespace of its own. Mounts an empty folder over
# each folder CLOSED, which then contains only PATH (CLOSED itself, or a folder in it), and runs COMMAND. STAGE is an empty folder.
set -eu

stage=$1
shift
mount -t tmpfs -o mode=755 tokenkeep "$stage"

# First, all folders are mounted aside, since covering one folder may hide the next.
number=0
for word; do
  [ "$word" = -- ] && break
  number=$((number + 1))
  [ $((number % 2)) = 0 ] || continue
  mkdir "$stage/$number"
  mount --rbind "$word" "$stage/$number"
done

covered=:
number=0
while [ "$1" != -- ]; do
  closed=$1 path=$2
  shift 2
  number=$((number + 2))
  case $covered in
    *:"$closed":*) ;;
    *)
      mount -t tmpfs -o mode=755 tokenkeep "$closed"
      covered=$covered$closed:
      ;;
  esac
  mkdir -p "$path"
  # Entry by entry, since the folder itself may be the closed one.
  for entry in "$stage/$number"/* "$stage/$number"/.[!.]*; do
    name=$path/${entry##*/}
    if [ -L "$entry" ]; then
      cp -P "$entry" "$name"
    elif [ -d "$entry" ]; then
      mkdir -p "$name" && mount --rbind "$entry" "$name"
    elif [ -f "$entry" ]; then
      : >"$name" && mount --bind "$entry" "$name"
    fi
  done
done
shift

umount -l "$stage"
exec "$@"
