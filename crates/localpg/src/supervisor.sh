# Runs one PostgreSQL server for its owner and stops it when the owner is gone.
#
# Standard input is a pipe that the owner holds open and never writes to: it ends
# when the owner lets go or dies, in whatever way. Standard output is the locked
# lock file, so that the folder stays locked until the server has stopped.
#
# Arguments: the binaries' folder; the folder of this server; how pg_ctl stops it
# (fast, immediate); what becomes of the folder then (keep, remove); the options of
# initdb in one word list; the ports to try in one word list; the server's options.

binaries=$1 folder=$2 stop_mode=$3 afterwards=$4 initdb_options=$5 ports=$6
shift 6
umask 077
data=$folder/data
log=$folder/server.log
child=
stage=
stopping=
owner_is_gone=
status=0

stop_server() {
    "$binaries/pg_ctl" stop -s -D "$data" -m "$stop_mode" -t 60 ||
        "$binaries/pg_ctl" stop -s -D "$data" -m immediate -t 10
}

stop_child() {
    case $stage in
    initdb) kill -s TERM "$child" ;;
    server) stop_server || kill -s KILL "$child" ;;
    esac 2>/dev/null
}

# A signal that comes when no child is known is remembered for the next one.
told_to_stop() {
    [ -z "$stopping" ] || return
    stopping=yes
    [ -z "$child" ] || stop_child
}
trap told_to_stop HUP INT TERM
trap 'owner_is_gone=yes; told_to_stop' USR1

# Runs a program as the child that a signal stops, and leaves its exit status in
# $status. A signal cuts `wait` short: only a child that is gone ends the loop, and
# its status may have to be asked for once more.
run() {
    "$@" </dev/null >>"$log" 2>&1 &
    child=$!
    [ -z "$stopping" ] || stop_child
    while :; do
        wait "$child"
        status=$?
        kill -s 0 "$child" 2>/dev/null || break
    done
    if [ -n "$stopping" ] && [ "$status" -gt 128 ]; then
        wait "$child" 2>/dev/null
        last_status=$?
        [ "$last_status" -eq 127 ] || status=$last_status
    fi
    child=
}

remove_if_temporary() {
    [ "$afterwards" = keep ] || rm -rf "$folder"
}

# The watcher sees the pipe end. It stops the server too, in case that the main shell was killed.
exec 3<&0 </dev/null
{
    read -r _ <&3
    kill -s USR1 "$$"
    stop_server
    remove_if_temporary
} >/dev/null 2>&1 &
watcher=$!
exec 3<&-

# A cluster is made beside its place and moved there when whole: an initdb that was
# cut short leaves nothing that looks like data.
if [ ! -e "$data/PG_VERSION" ]; then
    stage=initdb
    rm -rf "$data.new"
    # shellcheck disable=SC2086 # a list of words
    run "$binaries/initdb" -D "$data.new" --pwfile="$folder/password" $initdb_options
    [ "$status" -ne 0 ] || mv "$data.new" "$data"
fi

if [ "$status" -eq 0 ]; then
    stage=server
    for port in $ports; do
        [ -z "$stopping" ] || break
        : >"$log"
        run "$binaries/postgres" -D "$data" -p "$port" "$@"
        grep -q 'could not create any TCP/IP sockets' "$log" || break
    done
fi

# The owner is told of an end it did not ask for, and reads the log before it lets go.
if [ -z "$stopping" ]; then
    echo "$stage" >"$folder/failed"
    wait "$watcher"
fi

[ -n "$owner_is_gone" ] || kill -s KILL "$watcher" 2>/dev/null
wait "$watcher" 2>/dev/null
remove_if_temporary
[ "$afterwards" = remove ] || exit "$status"
