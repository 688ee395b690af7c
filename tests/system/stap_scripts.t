#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# stap_scripts: the contract that SystemTap's scripts write is the one of bpf/event.h; what is made for a kernel that SystemTap does
# not compile for. What they record is in tests/vm/stap.t.
. "$(dirname "$0")/lib.sh"

: >"$T/out"
"$root/scripts/stap-contract" "$root/bpf" >"$T/contract.stp" 2>"$T/err"
check "contract.stp is current" "run make contract: $(diff "$T/contract.stp" "$root/stap/tapset/contract.stp" | head -n 3)" \
	cmp -s "$T/contract.stp" "$root/stap/tapset/contract.stp"
for word in 'TT_KIND(3, DISK,' 'sizeof(struct tt_disk) == 112' 'TT_BATCH_LAST = 2'; do
	check "the contract has $word" "it is not there" grep -qF "$word" "$T/contract.stp"
done
mkdir "$T/bpf"
cp "$root/bpf/event.h" "$root/bpf/kinds.def" "$T/bpf/"
echo 'TT_KIND(99, NEW, MARK, tt_mark, "new", "cpu")' >>"$T/bpf/kinds.def"
check "a new kind makes it stale" "it is the same" eval \
	"'$root/scripts/stap-contract' '$T/bpf' | grep -q 'TT_KIND(99, NEW' && ! '$root/scripts/stap-contract' '$T/bpf' | cmp -s - '$root/stap/tapset/contract.stp'"

# The copy of the runtime
mkdir -p "$T/source" "$T/headers/include/linux"
cat >"$T/source/stp_task_work.c" <<'C'
typedef typeof(&task_work_cancel) task_work_cancel_fn;
        kallsyms_task_work_cancel = (void *)kallsyms_lookup_name("task_work_cancel");
C
echo 'all:' >"$T/headers/Makefile"
echo 'struct callback_head *task_work_cancel_func(struct task_struct *, task_work_func_t);' >"$T/headers/include/linux/task_work.h"
runtime() { SYSTEMTAP_RUNTIME=$T/source sh "$root/scripts/stap-runtime" "$@" >"$T/out" 2>&1; }
check "stap-runtime: a kernel with the new task_work_cancel() needs a copy" "$(cat "$T/out")" runtime --check "$T/headers" x
check "stap-runtime: it is made" "$(cat "$T/out")" runtime "$T/copy"
check "stap-runtime: with the name that the kernel has now" "$(cat "$T/copy/stp_task_work.c")" grep -q task_work_cancel_func "$T/copy/stp_task_work.c"
sed -i 's/task_work_cancel_func/task_work_cancel/' "$T/headers/include/linux/task_work.h"
check "stap-runtime: an older kernel needs none" "$(cat "$T/out")" eval "runtime --check '$T/headers' x; [ \$? = 1 ]"
echo 'something else' >"$T/source/stp_task_work.c"
check "stap-runtime: one that it does not know is refused" "$(cat "$T/out")" eval "! runtime '$T/copy2' && grep -q 'looks unlike' '$T/out' && [ ! -e '$T/copy2' ]"
mkdir "$T/mine" && echo precious >"$T/mine/file"
check "stap-runtime: a folder of somebody else is left alone" "$(cat "$T/out")" eval "! runtime '$T/mine' && [ \"\$(cat '$T/mine/file')\" = precious ]"

# The build folder
printf 'ffffffff81000000 T one\nffffffffc0000000 t two\t[module]\n' >"$T/symbols"
check "stap-build-folder: is made" "$(cat "$T/out")" eval "sh '$root/scripts/stap-build-folder' '$T/build' '$T/headers' '$T/symbols' >'$T/out' 2>&1"
check_equal "stap-build-folder: with the kernel's symbols, not those of modules" "$(cat "$T/build/System.map" 2>/dev/null)" "ffffffff81000000 T one"
check "stap-build-folder: and the headers" "$(ls "$T/build" 2>&1)" test -e "$T/build/include/linux/task_work.h"
printf '0000000000000000 T one\n' >"$T/symbols"
check "stap-build-folder: hidden addresses are an error" "$(cat "$T/out")" \
	eval "! sh '$root/scripts/stap-build-folder' '$T/build2' '$T/headers' '$T/symbols' >'$T/out' 2>&1 && grep -q 'run as root' '$T/out' && [ ! -e '$T/build2' ]"

finish
