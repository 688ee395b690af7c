#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# replay: a report is the same bytes every time; a cut, damaged or foreign file gives a clear error or a report of what is
# whole, never a crash, a hang or a sanitizer's word. Run with the ASan and UBSan build.
# timeout: 240
. "$(dirname "$0")/lib.sh"
need_built
need jq
[ -x "$TT_ASAN" ] || { not_ok "the build with sanitizers" "$TT_ASAN is not there"; finish; }
export ASAN_OPTIONS=exitcode=99:allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=halt_on_error=1:exitcode=99:print_stacktrace=1

source=bpf
[ -z "$(why_no_bpf)" ] || source=procfs
# Short, so that 400 reports of it stay cheap under the sanitizers; several epochs, so that a cut leaves something.
"$TT" record -q --source $source -o "$T/s.tt" -- "$H/sleeper" 3 1000 >"$T/record.log" 2>&1 ||
	{ not_ok "record" "$(tail -n 2 "$T/record.log")"; finish; }
echo "session of $(stat -c %s "$T/s.tt") bytes from $source" >&2

"$TT_ASAN" report "$T/s.tt" >"$T/1.txt" 2>"$T/1.err"
check_equal "report under the sanitizers" "$? $(head -n 1 "$T/1.err")" "0 "
TZ=Asia/Tokyo COLUMNS=80 "$TT" report "$T/s.tt" >"$T/2.txt" 2>&1
TZ=UTC LC_ALL=C.UTF-8 "$TT" report --json "$T/s.tt" >"$T/1.json" 2>&1
TZ=Asia/Tokyo "$TT" report --json "$T/s.tt" >"$T/2.json" 2>&1
check "text is byte-identical, in any time zone and build" "$(diff "$T/1.txt" "$T/2.txt" | head -n 4)" cmp -s "$T/1.txt" "$T/2.txt"
check "JSON is byte-identical, in any time zone and locale" "$(diff "$T/1.json" "$T/2.json" | head -n 4)" cmp -s "$T/1.json" "$T/2.json"
# The name of the file moves where the first lines break.
below_head() { sed -n "/^$source: /,\$p"; }
check "a pipe gives the same report" "differs" cmp -s <("$TT" report - <"$T/s.tt" | below_head) <(below_head <"$T/1.txt")

# One hostile file. Says nothing when all is well; else the reason.
survives() { # FILE
	local status

	timeout -k 5 20 "$TT_ASAN" report "$1" >"$T/out" 2>"$T/err" </dev/null
	status=$?
	case $status in
	0) [ -s "$T/out" ] || echo "status 0 but no report" ;;
	1) [ -s "$T/err" ] || echo "status 1 without a word" ;;
	124 | 137) echo "a hang" ;;
	*) echo "status $status: $(grep -m 1 -E 'ERROR|runtime error' "$T/err")" ;;
	esac
	grep -q 'Sanitizer\|runtime error:' "$T/err" && echo "sanitizer: $(grep -m 1 -E 'Sanitizer|runtime error:' "$T/err")"
	grep -qP '[\x00-\x08\x0b-\x1f\x7f]' "$T/err" && echo "raw control bytes on stderr"
	return 0
}

damage() { # cut|flip
	local nr why what bad=0 nr_whole=0 nr_refused=0

	for ((nr = 0; nr < 200; nr++)); do
		what=$("$H/mangle" "$1" 0x7117e0 $nr "$T/s.tt" "$T/damaged.tt") || { not_ok "$1" "mangle failed"; return; }
		why=$(survives "$T/damaged.tt")
		if [ -n "$why" ]; then
			bad=$((bad + 1))
			echo "$1 $nr ($what): $why" >&2
			cp "$T/damaged.tt" "$B/tests/logs/replay-$1-$nr.tt"
		fi
		if [ -s "$T/out" ]; then nr_whole=$((nr_whole + 1)); else nr_refused=$((nr_refused + 1)); fi
	done
	check_equal "$1: 200 damaged files, $nr_whole reported as far as whole, $nr_refused refused" "$bad" 0
	check_true "$1: some files still gave a report" "$nr_whole > 0"
}
damage cut
damage flip

# A flipped byte must be noticed: nothing of it may reach the numbers without a word.
noticed() {
	local nr bad=0

	for ((nr = 200; nr < 240; nr++)); do
		"$H/mangle" flip 0x7117e0 $nr "$T/s.tt" "$T/damaged.tt" >/dev/null
		"$TT" report --json "$T/damaged.tt" >"$T/damaged.json" 2>"$T/damaged.err" || continue
		[ "$(json "$T/damaged.json" .session.whole)" = false ] || { bad=$((bad + 1)); echo "flip $nr went unnoticed" >&2; }
	done
	check_equal "a flipped byte never goes unnoticed" "$bad" 0
}
noticed

refused() { # NAME FILE
	local why

	why=$(survives "$2")
	if [ -n "$why" ]; then
		not_ok "$1" "$why"
	elif [ -s "$T/out" ]; then
		not_ok "$1" "a report of it"
	else
		check_equal "$1: one clear line" "$(wc -l <"$T/err")" 1
	fi
}
: >"$T/empty"
refused "an empty file" "$T/empty"
refused "a directory" "$T"
refused "/dev/zero" /dev/zero
refused "a file that does not exist" "$T/nothing.tt"
head -c 100000 /dev/urandom >"$T/noise"
refused "random bytes" "$T/noise"
{ printf 'PERFILE2'; head -c 4096 /dev/zero; } >"$T/perf.data"
if command -v perf >/dev/null; then
	perf record -q -e cpu-clock -o "$T/perf.real" -- true >/dev/null 2>&1 && mv "$T/perf.real" "$T/perf.data"
fi
refused "a perf.data" "$T/perf.data"
gzip -c "$T/s.tt" >"$T/s.tt.gz"
refused "a compressed session" "$T/s.tt.gz"
finish
