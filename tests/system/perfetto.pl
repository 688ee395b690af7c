#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# A Perfetto trace, as `protoc --decode` prints it, read as Perfetto's importer reads it: sorted by time, switches into slices of CPUs, begin
# and end into slices of tracks. What the importer would drop, count as an error or draw wrong is told on stderr and fails. Prints
# what came out as JSON.
#
#   protoc --decode=pftrace.Trace ... <FILE | perl perfetto.pl
use strict;
use warnings;

my ($nr_wrong, @events, %track, %names, %flows, %clock) = (0);
sub wrong { print STDERR @_, "\n" if $nr_wrong++ < 10 }

# --- text to packets: a message is a hash of lists ---

sub unquote {
	my ($text) = @_;
	my %short = (n => "\n", r => "\r", t => "\t");

	$text =~ s/\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|(.))/defined $1 ? chr oct $1 : defined $2 ? chr hex $2 : $short{$3} \/\/ $3/ges;
	return $text;
}
sub read_packet {
	my @open = ({});

	while (my $line = <STDIN>) {
		if ($line =~ /^\s*(\w+) \{$/) {
			wrong("unknown field $1") if $1 =~ /^\d/;
			my $child = {};
			push @{$open[-1]{$1}}, $child;
			push @open, $child;
		} elsif ($line =~ /^\s*\}$/) {
			pop @open;
			return $open[0]{packet}[0] if @open == 1;
		} elsif ($line =~ /^\s*(\w+): (.*)$/) {
			wrong("unknown field $1") if $1 =~ /^\d/;
			my ($key, $value) = ($1, $2);
			if ($value =~ /^"(.*)"$/) {
				$value = unquote($1);
				my $copy = $value;
				wrong("$key is not UTF-8: $line") if $key ne 'str' && !utf8::decode($copy);
				wrong("$key has a control character: $line") if $value =~ /[\x00-\x1f\x7f]/ && $key ne 'str';
			}
			push @{$open[-1]{$key}}, $value;
		}
	}
	wrong("the trace ends in a packet") if @open > 1;
	return;
}
sub one { my ($message, $key) = @_; return $message->{$key} ? $message->{$key}[0] : undef }

# --- packets to events, in the order of the file ---

sub take_names {
	my ($data) = @_;

	for my $what (keys %$data) {
		for my $entry (@{$data->{$what}}) {
			my $iid = one($entry, 'iid');
			wrong("$what $iid is told twice") if $names{$what}{$iid};
			$names{$what}{$iid} = $entry;
		}
	}
	for my $frame (@{$data->{frames} || []}) {
		wrong("frame without a function") unless $names{function_names}{one($frame, 'function_name_id')};
		wrong("frame without a mapping") unless $names{mappings}{one($frame, 'mapping_id')};
	}
	for my $stack (@{$data->{callstacks} || []}) {
		for (@{$stack->{frame_ids} || []}) { wrong("stack with an unknown frame") unless $names{frames}{$_} }
	}
}
sub text_of {
	my ($what, $iid) = @_;
	my $entry = $names{$what}{$iid};

	wrong("$what $iid is not told before it is used"), return '' unless $entry;
	return one($entry, 'name') // one($entry, 'str');
}
sub take_track {
	my ($new) = @_;
	my $parent = one($new, 'parent_uuid');
	my $thread = one($new, 'thread');

	wrong("track under one that is not told") if $parent && !$track{$parent};
	$track{one($new, 'uuid')} //= {
		name => $thread ? one($thread, 'thread_name') : one($new, 'name'),
		tid => $thread ? one($thread, 'tid') : undef,
		parent => $parent, counter => $new->{counter} ? 1 : 0, stack => [],
	};
}
sub take_bundle {
	my ($bundle) = @_;
	my $cpu = one($bundle, 'cpu');
	my $compact = one($bundle, 'compact_sched');
	my $ts = 0;

	for my $event (@{$bundle->{event} || []}) {
		push @events, { ts => one($event, 'timestamp'), cpu => $cpu, ftrace => $event };
	}
	for my $i (0 .. ($compact ? $#{$compact->{switch_timestamp}} : -1)) {
		$ts += $compact->{switch_timestamp}[$i];
		push @events, { ts => $ts, cpu => $cpu, compact => 1,
				state => $compact->{switch_prev_state}[$i], next => $compact->{switch_next_pid}[$i],
				comm => $compact->{intern_table}[$compact->{switch_next_comm_index}[$i]] };
	}
}
my (%out, @stats);
sub take_packet {
	my ($packet) = @_;
	my $event = one($packet, 'track_event');

	$out{nr_packets}++;
	take_names($packet->{interned_data}[0]) if $packet->{interned_data};
	take_track($packet->{track_descriptor}[0]) if $packet->{track_descriptor};
	take_bundle($packet->{ftrace_events}[0]) if $packet->{ftrace_events};
	$out{lost_bundles}++ if $packet->{ftrace_events} && one($packet->{ftrace_events}[0], 'lost_events');
	push @stats, $packet->{ftrace_stats}[0] if $packet->{ftrace_stats};
	push @events, { ts => one($packet, 'timestamp'), sample => $packet->{perf_sample}[0] } if $packet->{perf_sample};
	push @events, { ts => one($packet, 'timestamp'), tree => $packet->{process_tree}[0] } if $packet->{process_tree};
	$out{kernel} = $packet->{system_info}[0]{utsname}[0]{release}[0] if $packet->{system_info};
	for my $clock ($packet->{clock_snapshot} ? @{$packet->{clock_snapshot}[0]{clocks}} : ()) { $clock{one($clock, 'clock_id')} = one($clock, 'timestamp') }
	return unless $event;
	my %args = map { text_of('debug_annotation_names', one($_, 'name_iid')) => one($_, 'uint_value') // one($_, 'string_value') } @{$event->{debug_annotations} || []};
	my $at = $track{one($event, 'track_uuid')} or return wrong("event on a track that is not told");
	my $stack = one($event, 'callstack_iid');
	wrong("unknown stack $stack") if defined $stack && !$names{callstacks}{$stack};
	push @events, { ts => one($packet, 'timestamp'), type => one($event, 'type'), track => $at, args => \%args, flow => one($event, 'flow_ids'),
			terminated => one($event, 'terminating_flow_ids'), value => one($event, 'counter_value'),
			category => $event->{category_iids} ? text_of('event_categories', one($event, 'category_iids')) : '',
			name => one($event, 'name') // ($event->{name_iid} ? text_of('event_names', one($event, 'name_iid')) : ''), has_stack => defined $stack };
}

# --- events in the order of time ---

my $GAP = 1 << 30;
my %cpu;
sub take_switch {
	my ($event, $next, $state, $comm) = @_;
	my $c = $cpu{$event->{cpu}} //= {};

	if (defined $c->{tid}) {
		my $dur = $event->{ts} - $c->{since};
		wrong("time goes back on CPU $event->{cpu}") if $dur < 0;
		$out{sched}{$event->{cpu}}{$c->{tid} >= $GAP ? 'gap_ns' : 'ran_ns'} += $dur;
		$out{ran_by_tid}{$c->{tid}} += $dur if $c->{tid} < $GAP;
	}
	@$c{qw(tid since)} = ($next, $event->{ts});
	$out{sched}{$event->{cpu}}{$next >= $GAP ? 'gaps' : 'slices'}++;
	$out{states}{$state}++;
	$out{comms}{$comm}++;
}
sub take_ftrace {
	my ($event) = @_;
	my $ftrace = $event->{ftrace};

	if (my $switch = one($ftrace, 'sched_switch')) {
		wrong("CPU $event->{cpu}: who leaves is not who ran")
			if defined $cpu{$event->{cpu}}{tid} && $cpu{$event->{cpu}}{tid} != one($switch, 'prev_pid');
		take_switch($event, one($switch, 'next_pid'), one($switch, 'prev_state'), one($switch, 'next_comm'));
	}
	$out{wakings}++ if $ftrace->{sched_waking};
	$out{forks}++ if $ftrace->{task_newtask};
}
sub take_slice_end {
	my ($event) = @_;
	my $track = $event->{track};
	my $slice = pop @{$track->{stack}} or return wrong("end without a beginning on $track->{name}");
	my $dur = $event->{ts} - $slice->{ts};
	my $args = $slice->{args};

	wrong("slice of negative time on $track->{name}") if $dur < 0;
	$out{slices}{$slice->{category}}++;
	$out{stacks}{$slice->{category}}++ if $slice->{has_stack};
	if ($slice->{category} eq 'runq') {
		wrong("a wait of $args->{wait_ns} ns takes $dur") if $dur > $args->{wait_ns};
		$out{wait_ns}{$track->{tid}} += $args->{wait_ns};
		$out{wait_slices_ns}{$track->{tid}} += $dur;
		$out{wait_names}{$slice->{name} =~ s/ by .*| behind .*//r}++;
		$out{wait_stolen_ns} += $args->{stolen_ns} // 0;
	} elsif ($slice->{category} eq 'steal') {
		wrong("a gap of $args->{stolen_ns} ns takes $dur") if $dur > $args->{stolen_ns};
		$out{stolen_ns}{$track->{name} =~ s/ .*//r} += $args->{stolen_ns};
		$out{stolen_slices_ns} += $dur;
	} elsif ($slice->{category} eq 'disk' && !@{$track->{stack}}) {
		take_request($slice, $dur);
	} elsif ($slice->{category} eq 'disk') {
		$out{parts}{$slice->{name}} += $dur;
	}
}
sub take_request {
	my ($slice, $dur) = @_;
	my $parent = $track{$slice->{track}{parent} // 0} or return wrong("a request on a track that is no disk's");
	my $disk = $out{disks}{$parent->{name}} //= {};
	my $args = $slice->{args};

	wrong("a request of $args->{total_ns} ns takes $dur") if $dur != $args->{total_ns};
	$disk->{requests} += $args->{requests};
	$disk->{by_operation}{$slice->{name}} += $args->{requests};
	$disk->{total_ns} += $dur;
	$disk->{queue_ns} += $args->{queue_ns};
	$disk->{bytes} += $args->{bytes};
}
sub take_instant {
	my ($event) = @_;
	my ($name, $args, $track) = @$event{qw(name args track)};

	$out{shed_requests}{$track->{name}} += $args->{requests} if $name =~ /requests shed$/;
	$out{shed_total_ns}{$track->{name}} += $args->{total_ns} if $name =~ /requests shed$/;
	$out{shed_wait_ns} += $args->{wait_ns} if $name eq 'waits of switches that were shed';
	$out{not_sampled_ns} += $args->{cpu_ns} if $name eq 'time without a sample';
	$out{stolen_ns}{$track->{name} =~ s/ .*//r} += $args->{stolen_ns} if $name eq 'stolen while switches were shed';
	$out{losses}{$name}++ if $event->{category} eq 'loss' && defined $args->{count};
	$out{lanes_missed}++ if $event->{category} eq 'disk';
	$out{end} = $args if $name eq 'recording ended';
	$out{session} = $args if $name eq 'recording began';
}
sub take_flow {
	my ($event) = @_;

	if (defined $event->{flow}) {
		wrong("flow $event->{flow} begins twice") if $flows{$event->{flow}}{begins}++;
		$flows{$event->{flow}}{ts} = $event->{ts};
	}
	if (defined $event->{terminated}) {
		wrong("flow $event->{terminated} ends before it begins") unless $flows{$event->{terminated}}{begins};
		wrong("flow $event->{terminated} ends twice") if $flows{$event->{terminated}}{ends}++;
	}
}
sub take_event {
	my ($event) = @_;

	return take_ftrace($event) if $event->{ftrace};
	return take_switch($event, @$event{qw(next state comm)}) if $event->{compact};
	if (my $sample = $event->{sample}) {
		$out{samples}++;
		$out{samples_with_stacks}++ if $sample->{callstack_iid};
		wrong("unknown stack") if $sample->{callstack_iid} && !$names{callstacks}{one($sample, 'callstack_iid')};
		wrong("the count of samples goes back") if one($sample, 'timebase_count') < ($out{sampled_ns}{one($sample, 'cpu')} // 0);
		$out{sampled_ns}{one($sample, 'cpu')} = one($sample, 'timebase_count');
		return;
	}
	if (my $tree = $event->{tree}) {
		$out{threads}{one($_, 'tid')} = one($_, 'name') for @{$tree->{threads} || []};
		$out{processes}{one($_, 'pid')} = one($_, 'cmdline') for @{$tree->{processes} || []};
		return;
	}
	wrong("slices on a track of a counter") if $event->{track}{counter} != ($event->{type} == 4);
	take_flow($event);
	if ($event->{type} == 1) {
		wrong("a slice within another on $event->{track}{name}") if $event->{category} ne 'disk' && @{$event->{track}{stack}};
		push @{$event->{track}{stack}}, $event;
	} elsif ($event->{type} == 2) {
		take_slice_end($event);
	} elsif ($event->{type} == 3) {
		take_instant($event);
	} else {
		my ($last, $max) = @{$out{counters}{$event->{track}{name}} // [0, 0]};
		$out{counters}{$event->{track}{name}} = [$event->{value}, $event->{value} > $max ? $event->{value} : $max];
	}
}

while (my $packet = read_packet()) { take_packet($packet) }
my $nth = 0;
$_->{nth} = $nth++ for @events;
take_event($_) for sort { $a->{ts} <=> $b->{ts} || $a->{nth} <=> $b->{nth} } @events;
for my $track (values %track) { wrong("slice without an end on $track->{name}") if @{$track->{stack}} }
for my $flow (values %flows) { wrong("flow without an end") unless $flow->{ends} }
wrong("no clocks") unless $clock{6} && $clock{3} && $clock{6} == $clock{3};
for my $stats (@stats) {
	my $cpu = one($stats, 'cpu_stats');
	$out{dropped}{one($cpu, 'cpu')} += one($cpu, 'dropped_events') * (one($stats, 'phase') == 2 ? 1 : -1);
}
$out{nr_flows} = keys %flows;
$out{tracks} = { map { ($_->{name} => 1) } values %track };
$out{functions} = { map { (one($_, 'str') => 1) } values %{$names{function_names}} };
$out{modules} = { map { (one($_, 'str') => 1) } values %{$names{mapping_paths}} };

sub json {
	my ($value) = @_;

	return '{' . join(',', map { json_text($_) . ':' . json($value->{$_}) } sort keys %$value) . '}' if ref $value eq 'HASH';
	return '[' . join(',', map { json($_) } @$value) . ']' if ref $value eq 'ARRAY';
	return $value =~ /^-?\d+$/ ? $value : json_text($value);
}
sub json_text {
	my ($text) = @_;

	$text =~ s/(["\\])/\\$1/g;
	return "\"$text\"";
}
print json(\%out), "\n";
exit($nr_wrong ? 1 : 0);
