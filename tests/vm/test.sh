# SPDX-License-Identifier: GPL-2.0-or-later
# What a test with a guest begins with: `. "$(dirname "$0")/test.sh"`. It has all of tests/system/lib.sh. Bash.
#
#   in_guest KERNEL SCRIPT [ARG...]   boots and runs tests/vm/guest/SCRIPT there; its /job is $job here, which then holds what it
#                                     recorded. Options for tests/vm/run: array vm_options. Fails when the guest cannot be had or
#                                     the script failed: that has been said then.
#   say_boots                         shows how long the guest took of which tests/vm/run spoke in $T/err
#
# The guest records and copies the kernel's counters; judging is done here, where it costs a tenth of the time.
. "$(dirname "${BASH_SOURCE[0]}")/../system/lib.sh"
vm=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
vm_options=()
PATH=$PATH:/usr/sbin:/sbin
job=

say_boots() { sed -n 's|^tests/vm/run:|#|p' "$T/err"; }

in_guest() { # KERNEL SCRIPT [ARG...]
	local status name=$1

	job=$T/$1.$2
	shift
	"$vm/run" --kernel "$name" --job "$job" "${vm_options[@]}" -- "$vm/guest/$1" "${@:2}" >"$T/out" 2>"$T/err"
	status=$?
	say_boots
	case $status in
	0) return 0 ;;
	77) skip "$name: $1" "$(grep -v '^tests/vm/run' "$T/err" | tail -n 1)" ;;
	*)
		not_ok "$name: $1" "status $status: $(tail -n 3 "$T/err")"
		tail -n 40 "$T/out" "$T/err" >&2
		;;
	esac
	return 1
}

# The steal injector for the kernel, where it can be built.
build_injector() { # KERNEL
	"$vm/module/build" "$1" >/dev/null 2>"$T/err" && return
	if [ $? = 77 ]; then skip "$1: injected steal" "$(tail -n 1 "$T/err")"
	else not_ok "$1: build of the injector" "$(tail -n 1 "$T/err")"; fi
	return 1
}

# stap/timethief.stp as a module for the kernel, where it can be built: sets $stap_module. The first build on a machine takes a minute.
stap_module=
build_stap() { # KERNEL
	mkdir -p "$B/vm/stap-modules/$1"
	stap_module=$B/vm/stap-modules/$1/timethief.ko
	"$vm/stap" "$1" "$stap_module" "$root/stap/timethief.stp" -b >/dev/null 2>"$T/err"
	local status=$?

	say_boots
	[ $status != 0 ] || return 0
	stap_module=
	if [ $status = 77 ]; then skip "$1: SystemTap" "$(tail -n 1 "$T/err")"
	else not_ok "$1: build of the SystemTap module" "$(grep -m 1 -E 'error' "$T/err" || tail -n 1 "$T/err")"; fi
	return 1
}
