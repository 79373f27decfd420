# shellcheck shell=bash
# The stage on which `demo` and `run` play; sourced by both. A sample host with the customer's own configuration and a
# stand-in communication service, on free loopback ports, with all their files in one temporary directory.
#
#   stage_open BUILD_DIR   makes the directory; from then on everything is stopped and removed when the script ends
#   stage_start MODE [MORE]
#                          starts both, MODE being single or challenge-verify, MORE further lines of services.mfa, indented
#                          by four; sets $host_url and $gateway_url
#   stage_stop             stops both; fails if one of them did not end well
#
# Afterwards $stage/host.log has the host's log and $stage/gateway.log what the phones have shown.

# shellcheck disable=SC2034 # for the script that sources this
host_url=''
gateway_url=''
stage=''
host_pid=''
gateway_pid=''

stage_open() {
    build=$(cd "$1" && pwd)
    local program
    for program in "$build/sms-gateway" "$build/sample-host" "$build/plugins/mfa.so"; do
        [ -e "$program" ] || { echo "$program is not built; run make first" >&2; exit 1; }
    done
    stage=$(mktemp -d "${TMPDIR:-/tmp}/sample-host.XXXXXX")
    trap stage_close EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

stage_close() {
    stage_stop || true
    rm -rf "$stage"
}

stage_config() { # MODE
    sed "s|https://api\.sms[a-z]*\.com|$gateway_url|" "$(dirname "${BASH_SOURCE[0]}")/config/$1.yml"
}

# Prints the URL on which a program that was just started listens, once it does.
stage_await() { # PID LOG
    local url='' tries=0
    while [ $tries -lt 300 ]; do
        url=$(sed -n 's/^listening on //p' "$2")
        [ -n "$url" ] && { echo "$url"; return; }
        kill -0 "$1" 2>/dev/null || break
        tries=$((tries + 1))
        sleep 0.1
    done
    return 1
}

# Each in a session of its own, so that Ctrl-C reaches this script only, which then stops them in order. What they
# printed the last time is removed before they start: the shell does so too, but maybe after stage_await has looked.
stage_start() {
    truncate -s 0 "$stage/gateway.log" "$stage/host.out"
    setsid "$build/sms-gateway" >"$stage/gateway.log" 2>&1 &
    gateway_pid=$!
    gateway_url=$(stage_await "$gateway_pid" "$stage/gateway.log") ||
        { echo 'the gateway did not start:' >&2; cat "$stage/gateway.log" >&2; exit 1; }

    { stage_config "$1"; printf '%s' "${2-}"; } >"$stage/config.yml"
    rm -rf "$stage/data"
    mkdir -m 700 "$stage/data"
    setsid "$build/sample-host" "$stage/config.yml" --plugins "$build/plugins" --data "$stage/data" \
        >"$stage/host.out" 2>"$stage/host.log" &
    host_pid=$!
    host_url=$(stage_await "$host_pid" "$stage/host.out") ||
        { echo 'the host did not start:' >&2; cat "$stage/host.log" >&2; exit 1; }
}

stage_end() { # PID
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null || true
    wait "$1"
}

stage_stop() {
    local status=0
    stage_end "$host_pid" || status=$?
    host_pid=''
    stage_end "$gateway_pid" || status=$?
    gateway_pid=''
    return $status
}
