#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""exports - the numbers of an export against those of the report on the same session.

    exports.py REPORT [FORMAT FILE]... [renamed]
    exports.py SCHEMA schema FILE                   the lines of FILE by a JSON Schema

REPORT: of report --json. Says "ok NAME" or "not ok NAME - WHY", as the tests in shell do. renamed: tasks change their names, of which the
report has only the last.
"""
import codecs
import collections
import json
import subprocess
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
        requests = {row["device"]: row["reads"] + row["writes"] + row["discards"] + row["flushes"] for row in disk}
        self.requests_of_device = {name: nr for name, nr in requests.items() if nr}

    def waits_with_shed(self, key_of, key_of_shed):
        waits = collections.Counter({key_of_shed: self.shed_wait_ns})
        for task in self.tasks:
            waits[key_of(task)] += task["wait_sum_ns"]
        return +waits


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
    wanted = report.waits_with_shed(lambda task: task["comm"] or f":{task['tid']}", "[shed]")
    if "renamed" in sys.argv:
        check("speedscope: waits of all tasks", sum(waits.values()), sum(wanted.values()))
    else:
        check("speedscope: waits of each name of tasks", waits, wanted)


class Message:
    """A message of protobuf as protoc --decode prints it; a field's values are a list."""

    def __init__(self, lines):
        self.fields = collections.defaultdict(list)
        for line in lines:
            line = line.strip()
            if line == "}":
                break
            if line.endswith("{"):
                self.fields[line[:-2]].append(Message(lines))
                continue
            key, value = line.split(": ", 1)
            self.fields[key].append(codecs.escape_decode(value[1:-1])[0].decode() if value[0] == '"' else value)

    def messages(self, key):
        return self.fields[key]

    def numbers(self, key):
        return [int(value) for value in self.fields[key]]

    def number(self, key):
        return self.numbers(key)[0] if key in self.fields else 0


def decode(path, name, schema):
    """Fields that the schema does not know have numbers for names."""
    with open(path, "rb") as file:
        text = subprocess.run(["protoc", f"-I{sys.path[0]}/../..", f"--decode={name}", schema], stdin=file, check=True, capture_output=True).stdout
    lines = text.decode().splitlines()
    check(f"{name}: fields that its schema does not have", sum(line.strip()[:1].isdigit() for line in lines), 0)
    return Message(iter(lines))


def pprof(report, path):
    with open(path + ".raw", "wb") as raw:
        subprocess.run(["gzip", "-dc", path], stdout=raw, check=True)
    profile = decode(path + ".raw", "pprof.Profile", "collector/export/proto/pprof.proto")
    strings = profile.fields["string_table"]
    type_of = [strings[kind.number("type")] for kind in profile.messages("sample_type")]
    sums, requests = collections.Counter(), collections.Counter()
    waits, steal_ns = collections.Counter(), collections.Counter()
    for sample in profile.messages("sample"):
        labels = {strings[label.number("key")]: strings[label.number("str")] if "str" in label.fields else label.number("num")
                  for label in sample.messages("label")}
        values = dict(zip(type_of, sample.numbers("value")))
        if labels["task"] == "[not_sampled]":
            continue
        sums.update(values)
        if values["requests"]:
            requests[labels["device"]] += values["requests"]
        if values["runq"]:
            waits[labels.get("tid")] += values["runq"]
        if values["stolen"]:
            steal_ns[labels["cpu"]] += values["stolen"]
    check("pprof: time of each cause", {cause: sums[kind] for cause, kind in zip(CAUSES, ("stolen", "runq", "disk", "cpu"))}, report.sum_ns, 4)
    check("pprof: how many of each cause", {cause: sums[kind] for cause, kind in zip(CAUSES, ("gaps", "waits", "requests", "samples"))}, report.nr)
    check("pprof: waits of each task", waits, report.waits_with_shed(lambda task: task["tid"], None))
    check("pprof: steal of each CPU", steal_ns, report.steal_ns_of_cpu)
    check("pprof: requests of each device", requests, report.requests_of_device)


def lines_of(path):
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def ndjson(report, path):
    sum_ns, nr = dict.fromkeys(CAUSES, 0), dict.fromkeys(CAUSES, 0)
    waits, steal_ns, requests = collections.Counter(), collections.Counter(), collections.Counter()
    last_ts_ns, nr_back, nr_lines, last = 0, 0, 0, None
    for line in lines_of(path):
        last, nr_lines = line, nr_lines + 1
        number = lambda key: int(line[key])
        kind = line["type"]
        if "ts_ns" in line:
            nr_back += number("ts_ns") < last_ts_ns
            last_ts_ns = number("ts_ns")
        if kind == "sched-switch" and line["next_tid"] and line["wait_ns"]:
            nr["runq"] += 1
            waits[line["next_tid"]] += number("wait_ns")
        elif kind == "shed-wait":
            waits[None] += number("wait_ns")
        elif kind == "steal":
            nr["steal"] += not line["shed"]
            steal_ns[str(line["cpu"])] += number("steal_ns")
        elif kind == "disk" and "counted" in line["flags"]:
            requests[line["device"]] += number("nr_counted")
            sum_ns["disk"] += number("total_ns") * number("nr_counted")
        elif kind == "disk-sums" and line["nr_shed"]:
            requests[line["device"]] += number("nr_shed")
            sum_ns["disk"] += number("shed_total_ns")
        elif kind == "cpu-sample":
            nr["cpu"] += 1
            sum_ns["cpu"] += max(number("period_ns") - number("steal_ns"), 0)
    sum_ns["runq"], sum_ns["steal"], nr["disk"] = sum(waits.values()), sum(steal_ns.values()), sum(requests.values())
    check("ndjson: time of each cause", sum_ns, report.sum_ns, 4)
    check("ndjson: how many of each cause", nr, report.nr)
    check("ndjson: waits of each task", waits, report.waits_with_shed(lambda task: task["tid"], None))
    check("ndjson: steal of each CPU", steal_ns, report.steal_ns_of_cpu)
    check("ndjson: requests of each device", +requests, report.requests_of_device)
    check("ndjson: lines that go back in time", nr_back, 0)
    check("ndjson: lines, as the last one says", last.get("nr_lines"), nr_lines - 1)


NR_WHOLE = 300  # lines that are held against the whole schema; the rest against that of their type, which is faster


def validate(schema_path, path):
    import jsonschema

    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.Draft7Validator
    validator.check_schema(schema)
    whole = validator(schema)
    of_type = {one["properties"]["type"]["const"]: validator(one) for one in schema["oneOf"]}
    errors, types = [], collections.Counter()
    for nr, line in enumerate(lines_of(path)):
        types[line["type"]] += 1
        for which in [of_type[line["type"]]] + [whole] * (nr < NR_WHOLE):
            errors += [f"line {nr + 1}: {error.message}" for error in which.iter_errors(line)]
    print(f"# {sum(types.values())} lines of {len(types)} types")
    check("ndjson: lines that its schema refuses", len(errors), 0)
    for error in errors[:5]:
        print(f"# {error[:300]}")


if __name__ == "__main__":
    what, *pairs = (word for word in sys.argv[1:] if word != "renamed")
    if pairs[0] == "schema":
        validate(what, pairs[1])
    else:
        for one, file_path in zip(pairs[::2], pairs[1::2]):
            {"speedscope": speedscope, "pprof": pprof, "ndjson": ndjson}[one](Report(what), file_path)
    sys.exit(1 if nr_bad else 0)
