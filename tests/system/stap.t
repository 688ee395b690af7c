#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The SystemTap source against a staprun and a stap that only pretend: the real collector, streams of two CPUs, and every way in which
# SystemTap can fail. What the real ones do is seen in a guest (tests/vm).
# timeout: 300
. "$(dirname "$0")/lib.sh"
need_built
need jq
need cc

bin=$T/bin
mkdir -p "$bin" "$T/proc" "$T/tmp" "$T/cache" "$T/headers"
: >"$T/proc/modules"
: >"$T/headers/.config"
: >"$T/headers/Makefile"
ln -s "$H/fake_staprun" "$bin/staprun"
export TIMETHIEF_STAP_DIR=$root/stap TIMETHIEF_STAP_PROC=$T/proc TIMETHIEF_CACHE_DIR=$T/cache TMPDIR=$T/tmp FAKE_LOG=$T/log
release=$(uname -r)
nr_cpus=$(getconf _NPROCESSORS_CONF)
[ "$nr_cpus" -ge 2 ] || { skip "the streams of two CPUs" "one CPU here"; finish; }
[ "$(id -u)" = 0 ] || { skip "a module may be loaded" "needs root"; finish; }

make_module() { # FILE NAME RELEASE OPTION
	cat >"$T/module.c" <<-END
		static const char name[] __attribute__((section(".modinfo"), used)) = "name=$2";
		static const char magic[] __attribute__((section(".modinfo"), used)) = "vermagic=$3 SMP preempt mod_unload ";
		static const char type[] __attribute__((section(".modinfo"), used)) = "parmtype=$4:long";
	END
	cc -c -o "$1" "$T/module.c"
}
make_module "$T/good.ko" timethief "$release" tt_wait
make_module "$T/other.ko" timethief 1.2.3-other tt_wait
make_module "$T/foreign.ko" e1000 "$release" debug

with_fakes() { PATH=$bin:$PATH "$@"; }
stap_record() { # OUT ARG...
	local out=$1

	shift
	: >"$FAKE_LOG"
	with_fakes "$TT" record --source stap -o "$out" "$@"
}
told() { sed -n "s/.*$1=\\([0-9]*\\).*/\\1/p" "$FAKE_LOG" | tail -n 1; }
nothing_left() { # NAME
	check_equal "$1: no folder and no process is left" "$(find "$T/tmp" -mindepth 1 | wc -l) $(find "$T/proc/systemtap" -mindepth 1 2>/dev/null | wc -l)" "0 0"
}

# --- a recording ---
stap_record "$T/s.tt" --stap-module "$T/good.ko" --probe runq --ring-size 3m --hook steal=tick -d 1 >"$T/s.log" 2>&1
check_equal "a recording through the streams of two CPUs" $? 0
"$TT" report "$T/s.tt" >"$T/s.txt" 2>&1
check_equal "its report names source and hooks" "$(grep -c '^stap: runq sched_info' "$T/s.txt")" 1
check "names come over the stream, too" "no fake-a in the report" grep -q 'fake-a 70000' "$T/s.txt"
check_equal "every switch that was told is in it, two tasks, and what was read from /proc" "$(($(grep -o '[0-9]* events' "$T/s.log" | cut -d' ' -f1) >= $(told switches) + 2))" 1
check "options reach the module" "$(cat "$FAKE_LOG")" grep -q -- "-b 3 .*timethief.ko tt_records=1 tt_wait=1 tt_probes=4 tt_only_dev=0 tt_tgid=[0-9]* tt_steal_hook=3" "$FAKE_LOG"
check "what the module could not remember is counted" "$(cat "$T/s.log")" grep -q '3 waits of tasks without state' "$T/s.log"
nothing_left "a recording"

# --- streams that are not as they should ---
for kind in gap cut; do
	FAKE_STREAM=$kind stap_record "$T/$kind.tt" --stap-module "$T/good.ko" -d 1 >"$T/$kind.log" 2>&1
	check_equal "$kind: it can be recorded" $? 0
	check_true "$kind: what is missing is counted" "$(grep -o '[0-9]* packets missing' "$T/$kind.log" | cut -d' ' -f1 || echo 0) > 3"
	"$TT" report "$T/$kind.tt" >"$T/$kind.txt" 2>&1
	check "$kind: and shown" "$(grep lost "$T/$kind.txt")" grep -q 'packets missing' "$T/$kind.txt"
	nothing_left $kind
done
FAKE_STREAM=text stap_record "$T/text.tt" --stap-module "$T/good.ko" -d 1 >"$T/text.log" 2>&1
check_equal "text between packets is no reason to fail" $? 0
check_equal "and costs no packet" "$(grep -c 'packets missing' "$T/text.log")" 0
FAKE_STREAM=garbage stap_record "$T/garbage.tt" --stap-module "$T/good.ko" -d 5 >"$T/garbage.log" 2>&1
check_equal "megabytes without a record end the recording" $? 1
check "and it says where they begin" "$(cat "$T/garbage.log")" grep -q 'from CPU 0 is not .* from byte [0-9]* on' "$T/garbage.log"
nothing_left garbage
FAKE_STREAM=shed stap_record "$T/shed.tt" --stap-module "$T/good.ko" -d 1 >"$T/shed.log" 2>&1
check_true "what found no room is counted" "$(grep -o '[0-9]* switches shed' "$T/shed.log" | head -n 1 | cut -d' ' -f1 || echo 0) > 0"
FAKE_WORDS='WARNING: Number of errors: 0, skipped probes: 17
WARNING: There were 4 transport failures. Try stap -s to increase the buffer size from 8.
' stap_record "$T/skipped.tt" --stap-module "$T/good.ko" -d 1 >"$T/skipped.log" 2>&1
check "skipped probes are a loss" "$(cat "$T/skipped.log")" grep -qE '(^|[^0-9])17 switches unseen' "$T/skipped.log"

# --- an end that nobody asked for ---
FAKE_STREAM=die FAKE_WORDS='ERROR: probe overhead (500000100 cycles) exceeded threshold (500000000 cycles) in last 1000000000 cycles' \
	stap_record "$T/die.tt" --stap-module "$T/good.ko" -d 20 >"$T/die.log" 2>&1
check_equal "overload ends the recording with status 1" $? 1
check "and it says so" "$(cat "$T/die.log")" grep -q 'they took too much of a CPU' "$T/die.log"
check_equal "what came before can be read" "$("$TT" report "$T/die.tt" >/dev/null 2>&1; echo $?)" 0
nothing_left overload

# --- killed ---
for signal in INT KILL; do
	stap_record "$T/killed.tt" --stap-module "$T/good.ko" >"$T/killed.log" 2>&1 &
	wait_until 5 grep -qs state=recording "$T/proc/systemtap/timethief/status"
	pid=$(pgrep -f "^$TT record --source stap -o $T/killed.tt" | head -n 1)
	kill -$signal "$pid"
	wait $!
	wait_until 10 test -z "$(find "$T/tmp" -mindepth 1)"
	wait_until 5 grep -q signal= "$FAKE_LOG"
	# SIGTERM of the keeper, or before it SIGPIPE of a stream that nobody reads
	check "SIG$signal: staprun is asked to end" "$(tail -n 1 "$FAKE_LOG")" grep -qE 'signal=(13|15)$' "$FAKE_LOG"
	nothing_left "SIG$signal"
done

# --- refusals before anything starts ---
refused() { # NAME PATTERN STATUS ARG...
	local name=$1 pattern=$2 want=$3 status

	shift 3
	"$@" >"$T/refused.log" 2>&1
	status=$?
	check_equal "$name: status $want and one line" "$status $(grep -cvE 'shows what SystemTap said|no symbols of' "$T/refused.log")" "$want 1"
	check "$name: it says why and what to do" "$(cat "$T/refused.log")" grep -qE -- "$pattern" "$T/refused.log"
}
refused "another kernel's module" 'for kernel 1.2.3-other, this is .*stap-build -r' 1 stap_record "$T/x.tt" --stap-module "$T/other.ko" -d 1
refused "a module that is not ours" "e1000 is none of timethief's" 1 stap_record "$T/x.tt" --stap-module "$T/foreign.ko" -d 1
refused "a file that is no module" 'is no kernel module' 1 stap_record "$T/x.tt" --stap-module "$T/module.c" -d 1
refused "a file that is not there" 'No such file' 1 stap_record "$T/x.tt" --stap-module "$T/none.ko" -d 1
refused "an unknown hook" 'has no such hook' 2 stap_record "$T/x.tt" --stap-module "$T/good.ko" --hook disk=fentry -d 1
refused "two hooks for a probe" 'takes one hook' 2 stap_record "$T/x.tt" --stap-module "$T/good.ko" --hook steal=tick --hook steal=clock -d 1
mkdir -p "$T/proc/systemtap/timethief"
: >"$T/proc/systemtap/timethief/control"
refused "a module that is loaded already" 'loaded already.*staprun -d' 1 stap_record "$T/x.tt" --stap-module "$T/good.ko" -d 1
rm -r "$T/proc/systemtap"

# --- what staprun says (staprun 4.8) ---
while IFS='|' read -r name words pattern; do
	[ -n "$name" ] || continue
	FAKE_STATUS=1 FAKE_WORDS=$words refused "staprun: $name" "$pattern" 1 stap_record "$T/x.tt" --stap-module "$T/good.ko" -d 1
done <<'END'
not in a group|ERROR: You are trying to load the module timethief as a normal user.|run as root, or add the user to stapdev
not setuid|ERROR: The effective user ID of staprun must be set to the root user.|staprun is not setuid root
module folder|ERROR: Members of the "stapusr" and "stapsys" groups can only use unsigned modules within|may only load modules of /lib/modules
key rejected|ERROR: Couldn't insert module '/x/timethief.ko': Key was rejected by service|mokutil
no key|ERROR: Couldn't insert module '/x/timethief.ko': Required key not available|signed modules only
lockdown|ERROR: Couldn't insert module '/x/timethief.ko': Operation not permitted|lockdown.*modules_disabled
no modules|ERROR: Couldn't insert module '/x/timethief.ko': Function not implemented|CONFIG_MODULES
loaded|ERROR: Couldn't insert module '/x/timethief.ko': File exists|staprun -d
format|ERROR: Couldn't insert module '/x/timethief.ko': Invalid module format|for another kernel.*stap-build -r
symbol|ERROR: Couldn't insert module '/x/timethief.ko': Unknown symbol in module|dmesg names it
options|ERROR: Couldn't insert module '/x/timethief.ko': Invalid parameters|other scripts
memory|ERROR: Couldn't insert module '/x/timethief.ko': Cannot allocate memory|--ring-size
release|ERROR: module release mismatch (6.1.0-55-amd64 vs 6.1.0-56-amd64)|for another kernel
build id|ERROR: Build-id mismatch [man error::buildid]: "kernel" address 0x1|another build
FIPS|ERROR: Couldn't insert module in FIPS mode '/x/timethief.ko': Operation not permitted|FIPS
unknown words|ERROR: the moon is full|SystemTap says: ERROR: the moon is full
END
nothing_left "refusals"

# --- what stap says (stap 4.8), and what it makes ---
make_stap() { # VERSION STATUS WORDS: a stap that says WORDS and ends; with status 0 it makes a module
	printf '%s\n' "$3" >"$T/words"
	cat >"$bin/stap" <<-END
		#!/bin/sh
		[ "\$1" != --version ] || { echo "Systemtap translator/driver (version $1/0.188, Debian version $1-2)"; exit 0; }
		echo "stap \$*" >>"$T/stap.log"
		cat "$T/words" >&2
		[ $2 != 0 ] || echo made >timethief.ko
		exit $2
	END
	chmod 755 "$bin/stap"
}
stap_build() { with_fakes "$TT" stap-build -r "$T/headers" -o "$T/made.ko" "$@"; }
refused "stap-build without a release" '-r RELEASE is missing' 2 "$TT" stap-build -o x
refused "stap-build without a file" '-o FILE is missing' 2 "$TT" stap-build -r x
make_stap 1.7 0 ''
refused "stap 1.7" '1.7 is too old.*1.8 or later' 1 stap_build
make_stap 4.8 0 ''
refused "no headers" 'headers of kernel 9.9.9-none are not installed.*linux-headers-9.9.9-none .kernel-devel-9.9.9-none.' 1 \
	with_fakes "$TT" stap-build -r 9.9.9-none -o "$T/made.ko"
TIMETHIEF_STAP_DIR=$T/nowhere refused "no scripts" 'are not found in .*TIMETHIEF_STAP_DIR' 1 stap_build
while IFS='|' read -r name words pattern; do
	[ -n "$name" ] || continue
	make_stap 4.8 1 "$words
Pass 4: compilation failed.  [man error::pass4]"
	refused "stap: $name" "$pattern" 1 stap_build
	check_equal "stap: $name: no module is left" "$(ls "$T/made.ko" 2>/dev/null)" ""
done <<'END'
group|You are trying to run systemtap as a normal user.|run as root, or add the user to stapdev
Secure Boot|The kernel on your system requires modules to be signed for loading.|Secure Boot
headers|Checking "/lib/modules/6.1.0/build/.config" failed with error: No such file or directory|are not installed
task_work|/usr/share/systemtap/runtime/stp_task_work.c:23:53: error: 'task_work_cancel' undeclared here|task_work_cancel.. has changed
debuginfo|semantic error: missing x86_64 kernel/module debuginfo [man warning::debuginfo] under '/lib/modules/6.1.0/build'|debuginfo of kernel .* is not installed
compiler|/bin/sh: 1: gcc: not found|no compiler here
disk|cc1: error: writing: No space left on device|the disk is full
parse|Pass 1: parse failed.  [man error::pass1]|does not understand the scripts
semantic|Pass 2: analysis failed.  [man error::pass2]|does not have, or this SystemTap does not know
other|foo.c:1:1: error: unknown type name 'x'|does not compile with the headers
END
make_stap 4.8 0 'WARNING: something harmless'
: >"$T/stap.log"
stap_build >"$T/build.log" 2>&1
check_equal "stap-build makes a module" "$? $(cat "$T/made.ko")" "0 made"
check "with bulk mode, guru mode and our tapset" "$(cat "$T/stap.log")" grep -qE -- "^stap -g -b -p4 -m timethief -r .* -I .*/tapset .*/timethief.stp$" "$T/stap.log"
check_equal "-q says nothing" "$(stap_build -q 2>&1)" ""
cat >"$bin/stap" <<-END
	#!/bin/sh
	[ "\$1" != --version ] || { echo "Systemtap translator/driver (version 4.8/0.188)"; exit 0; }
	sleep 60 & wait
END
stap_build >"$T/build.log" 2>&1 &
wait_until 5 pgrep -f "^sh $bin/stap|^/bin/sh $bin/stap" >/dev/null
pid=$(pgrep -f "^$TT stap-build -r $T/headers" | head -n 1)
kill -INT "$pid"
wait $!
check_equal "Ctrl-C ends a compile" "$? $(pgrep -f "$bin/stap" | wc -l)" "1 0"
nothing_left "stap-build"

# --- this machine as it is ---
unset TIMETHIEF_STAP_PROC
if [ -e /proc/modules ]; then
	skip "a kernel without modules is told first" "this one loads modules"
else
	refused "no modules here" 'loads no modules at all .CONFIG_MODULES is off.' 1 "$TT" record --source stap -o "$T/x.tt" -d 1
	if command -v stap >/dev/null && stap --version 2>&1 | grep -q Systemtap; then
		refused "no modules here, with a module" 'loads no modules at all' 1 "$TT" record --source stap --stap-module "$T/good.ko" -o "$T/x.tt" -d 1
	else
		skip "no modules here, with the real SystemTap" "SystemTap is not installed"
	fi
	check_equal "doctor tells it for each probe" "$("$TT" doctor --json 2>/dev/null | jq -r '[.probes[][] | select(.hook == "stap" and (.reason | test("no modules at all")))] | length')" 3
fi
finish
