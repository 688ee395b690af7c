#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""exports - the numbers of an export against those of the report on the same session.

    exports.py REPORT FORMAT FILE [renamed]

REPORT: of report --json. Says "ok NAME" or "not ok NAME - WHY", as the tests in shell do. renamed: tasks change their names, of which the
report has only the last.
"""
import collections
import json
import sys

CAUSES = ("steal", "runq", "disk", "cpu")
nr_bad = 0


def check(name, got, wanted, slack=0):
    global nr_bad
    if isinstance(got, dict):
        good = got.keys() == wanted.keys() and all(abs(got[key] - wanted[key]) <= slack for key in got)
        differing = [key for key in {**got, **wanted} if got.get(key) != wanted.get(key)]
        why = ", ".join(f"{key!r}: {got.get(key)}, wanted {wanted.get(key)}" for key in differing[:5])
    else:
        good, why = abs(got - wanted) <= slack, f"got {got}, wanted {wanted}"
    nr_bad += not good
    print(f"ok {name}" if good else f"not ok {name} - {why}")


class Report:
    """What the report says, in the units of the exports."""

    def __init__(self, path):
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
        sections = report["sections"]
        table = lambda section, name: sections.get(section, {}).get("tables", {}).get(name, [])
        steal, runq, disk, cpu = table("steal", "cpus"), table("runq", "cpus"), table("disk", "devices"), table("cpu", "cpus")
        of_all = lambda rows, key: next((row[key] for row in rows if row["cpu"] == "all"), 0)

        self.sum_ns = {
            "steal": of_all(steal, "stolen_ns"),
            "runq": of_all(runq, "wait_sum_ns"),
            # aqu-sz is the time of all requests over that of the report
            "disk": round(sum(row["aqu_sz"] for row in disk) * report["interval"]["dur_ns"]),
            # without the time that no sample stands for
            "cpu": sum(of_all(cpu, key) for key in ("user_ns", "kernel_ns", "idle_ns")),
        }
        self.nr = {
            "steal": of_all(steal, "gaps"),
            "runq": of_all(runq, "waits"),
            "disk": sum(row[key] for row in disk for key in ("reads", "writes", "discards", "flushes")),
            "cpu": of_all(cpu, "samples"),
        }
        self.steal_ns_of_cpu = {row["cpu"][3:]: row["stolen_ns"] for row in steal if row["cpu"] != "all" and row["stolen_ns"]}
        self.tasks = table("runq", "tasks")
        self.shed_wait_ns = of_all(runq, "shed_wait_ns")
        self.requests_of_device = {row["device"]: row["reads"] + row["writes"] + row["discards"] + row["flushes"] for row in disk}

    def waits_by(self, key_of):
        waits = collections.Counter()
        for task in self.tasks:
            if task["wait_sum_ns"]:
                waits[key_of(task)] += task["wait_sum_ns"]
        return waits


def speedscope(report, path):
    with open(path, encoding="utf-8") as file:
        root = json.load(file)
    frames = root["shared"]["frames"]
    sum_ns, waits = dict.fromkeys(CAUSES, 0), collections.Counter()
    for profile in root["profiles"]:
        cause = profile["name"].split(":")[0]
        for stack, weight in zip(profile["samples"], profile["weights"]):
            task = frames[stack[0]]["name"]
            sum_ns[cause] += 0 if task == "[not_sampled]" else weight
            if cause == "runq":
                waits[task] += weight
    check("speedscope: time of each cause", sum_ns, report.sum_ns, 4)
    wanted = report.waits_by(lambda task: task["comm"] or f":{task['tid']}")
    if report.shed_wait_ns:
        wanted["[shed]"] += report.shed_wait_ns
    if "renamed" in sys.argv:
        check("speedscope: waits of all tasks", sum(waits.values()), sum(wanted.values()))
    else:
        check("speedscope: waits of each name of tasks", waits, wanted)


if __name__ == "__main__":
    {"speedscope": speedscope}[sys.argv[2]](Report(sys.argv[1]), sys.argv[3])
    sys.exit(1 if nr_bad else 0)
