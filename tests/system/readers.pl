#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# readers - perf-script text through the grammar of each tool that reads it, as the sources of those tools have it.
#
#   readers.pl check FILE   every record is the same to stackcollapse-perf.pl, inferno, speedscope, Firefox Profiler, flamescope and
#                           Perfetto: task, pid, tid, time, weight and frames, each as far as it looks at them. Says how many records, or
#                           what differs, and then exits 1.
#   readers.pl fold FILE    folded as stackcollapse-perf.pl does it
use strict;
use warnings;

my ($mode, $file) = @ARGV;
open my $in, '<:raw', $file or die "$file: $!\n";
my $bytes = do { local $/; <$in> };
my $text = $bytes;
utf8::decode($text) or die "$file: not UTF-8\n"; # \s is Unicode's from here on, as in JavaScript
my $nr_bad = 0;

sub bad {
	my ($what, $line) = @_;
	my $out = "$what: $line\n";

	utf8::encode($out);
	print $out if $nr_bad++ < 10;
}

sub expect {
	my ($who, $what, $got, $wanted, $line) = @_;

	bad("$who: $what is '" . ($got // 'nothing') . "', not '$wanted'", $line) unless defined $got && $got eq $wanted;
}

# Ours: what was meant. Greedy, so the task's name may hold anything.
sub meant {
	my ($head) = @_;

	return $head =~ /^(.*) (\d+)\/(\d+) (?:\[(\d{3,})\] )?(\d+\.\d{6}): +(\d+) (timethief-[a-z]+): $/;
}

sub fold_function { # of stackcollapse-perf.pl
	my ($func, $dso) = @_;

	if ($func eq '[unknown]') {
		($func = $dso) =~ s/.*\/// if $dso ne '[unknown]';
		$func = 'unknown' if $dso eq '[unknown]';
		$func = "[$func]";
	}
	$func =~ s/;/:/g;
	$func =~ s/\((?!anonymous namespace\)).*// if $func !~ /\.\(.*\)\./;
	$func =~ tr/"'//d;
	return $func;
}

sub frames_by { # regular expression with groups function and file
	my ($regexp, @lines) = @_;

	return map { $_ =~ $regexp ? "$1 ($2)" : 'none' } @lines;
}

sub perfetto_frame {
	my ($line) = @_;

	$line =~ s/^\s+|\s+$//g;
	my ($symbol_end, $file_start) = (index($line, ' '), rindex($line, '('));
	return 'none' if $symbol_end < 0 || $file_start < 0 || $line !~ /\)$/;
	my $symbol = substr($line, $symbol_end, $file_start - $symbol_end);
	$symbol =~ s/^\s+|\s+$//g;
	$symbol = substr($symbol, 0, rindex($symbol, '+')) if rindex($symbol, '+') >= 0;
	return "$symbol (" . substr($line, $file_start + 1, -1) . ')';
}

sub perfetto_head { # the first colon behind something like a time
	my ($head) = @_;

	for (my $at = index($head, ':'); $at >= 0; $at = index($head, ':', $at + 1)) {
		next unless substr($head, 0, $at) =~ /^(.*) (\d+\.\d{6})$/;
		my ($before, $time) = ($1, $2);
		my @pieces = grep { length } split / /, $before;
		pop @pieces if @pieces && $pieces[-1] =~ /^\[\d+\]$/;
		next unless @pieces && $pieces[-1] =~ /^(?:(\d+)\/)?(\d+)$/;
		my ($pid, $tid) = ($1, $2);
		pop @pieces;
		return (join(' ', @pieces), $pid, $tid, $time);
	}
	return ();
}

sub inferno_head { # the first word of digits
	my ($head) = @_;

	return () unless $head =~ /^((?:[^ ]* )*?)(\d+(?:\/\d*)?) (.*)$/s;
	my ($comm, $ids, $rest) = ($1, $2, $3);
	my (undef, $event, $after) = split /:/, $rest, 3;
	my @words = split / /, $event // '';
	$comm =~ s/^\s+|\s+$//g;
	return ($comm, (split /\//, $ids), $words[-2], $words[-1], $after);
}

sub check {
	my ($head, @frames) = @_;
	my ($comm, $pid, $tid, $cpu, $time, $weight, $event) = meant($head) or return bad('not of our own grammar', $head);
	my @wanted = frames_by(qr/^\t *[0-9a-f]+ (.+) \(([^() ]+)\)$/, @frames);
	my $wanted = join ';', @wanted;
	my (@got, $raw, $got_comm);

	length("$head") && @frames or return bad('a record without frames', $head);
	bad('an address that is not 16 wide', $_) for grep { !/^\t[ 0-9a-f]{16} \S/ } @frames;

	# stackcollapse-perf.pl: bytes, not characters
	($raw = $head) and utf8::encode($raw);
	utf8::encode($got_comm = $comm);
	@got = $raw =~ /^(\S.+?)\s+(\d+)\/*(\d+)*\s+/;
	expect('stackcollapse-perf.pl', 'task, pid, tid', join(' ', map { $_ // '-' } @got), "$got_comm $pid $tid", $head);
	@got = $raw =~ /:\s*(\d+)*\s+(\S+):\s*$/;
	expect('stackcollapse-perf.pl', 'weight and event', join(' ', map { $_ // '-' } @got), "$weight $event", $head);
	expect('stackcollapse-perf.pl', 'frames', join(';', frames_by(qr/^\s*\w+\s*(.+) \((.*)\)/, @frames)), $wanted, $head);
	for (grep { $_ ne fold_function($_, '') } map { s/ \([^()]*\)$//r } @wanted) {
		bad('stackcollapse-perf.pl changes a name', $_) unless $_ eq '[unknown]';
	}

	@got = inferno_head($head);
	$got_comm = $comm =~ s/ +/ /gr;
	expect('inferno', 'head', join(' ', map { $_ // '-' } @got[0 .. 4]) =~ s/ +/ /gr, "$got_comm $pid $tid $weight $event" =~ s/ +/ /gr, $head);
	expect('inferno', 'rest', $got[5], ' ', $head);
	expect('inferno', 'frames', join(';', frames_by(qr/^\s*[^ ]+ (.*) \(([^ ]*)\)$/, @frames)), $wanted, $head);
	bad('inferno splits a name', $_) for grep { /->/ } @wanted;

	@got = $head =~ /^(\S.+?)\s+(\d+)(?:\/?(\d+))?\s+/;
	expect('speedscope', 'task, pid, tid', join(' ', map { $_ // '-' } @got), "$comm $pid $tid", $head);
	@got = $head =~ /\s+(\d+\.\d+):\s+/;
	expect('speedscope', 'time', $got[0], $time, $head);
	@got = $head =~ /(\S+):\s*$/;
	expect('speedscope', 'event', $got[0], $event, $head);
	expect('speedscope', 'frames', join(';', frames_by(qr/^\s*\w+\s*(.+) \((\S*)\)/, @frames)), $wanted, $head);

	bad('Firefox Profiler does not know it', $head) unless $head =~ /^\S.*?\s+(?:\d+\/)?\d+\s+(?:\[\d+\]\s+)?[\d.]+:/;
	@got = $head =~ /^(.*)\s+([\d.]+):/;
	expect('Firefox Profiler', 'time', $got[1], $time, $head);
	@got = ($got[0] // '') =~ /^(.*)\s+(?:(\d+)\/)?(\d+)\b/;
	expect('Firefox Profiler', 'task, pid, tid', join(' ', map { $_ // '-' } @got), "$comm $pid $tid", $head);
	bad('Firefox Profiler skips a frame', $_) for grep { /^\(/ } @wanted;

	@got = $head =~ / +([0-9.]+): .+?:/;
	expect('flamescope', 'time', $got[0], $time, $head);
	expect('flamescope', 'frames', join(';', frames_by(qr/^[\t ]*[0-9a-fA-F]+ (.+) \((.*?)\)$/, @frames)), $wanted, $head);
	bad('flamescope cuts a name', $_) for grep { /\+/ } @wanted;

	@got = perfetto_head($head);
	expect('Perfetto', 'head', join(' ', map { $_ // '-' } @got), "$got_comm $pid $tid $time", $head);
	expect('Perfetto', 'frames', join(';', map { perfetto_frame($_) } @frames), $wanted, $head);
}

my $nr = 0;
my (%time_of, %folded);
bad('a carriage return', '') if $text =~ /\r/;
bad('no empty line at the end', substr($text, -40)) if length($text) && $text !~ /\n\n\z/;
for my $record (split /\n\n/, $mode eq 'fold' ? $bytes : $text) {
	my ($head, @frames) = split /\n/, $record;

	$nr++;
	if ($mode eq 'fold') {
		my ($comm, undef, undef, undef, undef, $weight) = meant($head);
		my @names = map { /^\s*\w+\s*(.+) \((.*)\)/ ? fold_function($1, $2) : 'none' } @frames;

		$comm =~ tr/ /_/;
		$folded{join ';', $comm, reverse @names} += $weight;
		next;
	}
	check($head, @frames);
	my ($comm, $pid, $tid, undef, $time) = meant($head);
	bad('time goes back within a thread', $head) if defined $time && ($time_of{"$comm $tid"} // 0) > $time;
	$time_of{"$comm $tid"} = $time if defined $time;
}
if ($mode eq 'fold') {
	print "$_ $folded{$_}\n" for sort keys %folded;
	exit 0;
}
print $nr_bad ? "$nr_bad differences\n" : "$nr records\n";
exit($nr_bad ? 1 : 0);
