# The load of a pod of tests/vm/traces.ts or tests/vm/load.ts: does the steps that it is given, one after another. Memory is in
# MiB chunks, none of whose pages is zero, because the kernel does not swap those. Arguments: the pod's name, then the steps.
use strict;
use warnings;

my $MIB = 1048576;
my $PAGE = 4096;
my ($name, @steps) = @ARGV;
my $folder = "/run/traces";
my @chunks;

my %do = (
    # More memory, up to so many MiB, at so many MiB a second.
    grow => sub {
        my ($to, $rate) = @_;
        my ($began, $from) = (now(), scalar @chunks);
        while (@chunks < $to) {
            push @chunks, "x" x $MIB;
            my $ahead = (@chunks - $from) / $rate - (now() - $began);
            rest($ahead) if $ahead > 0.02;
        }
    },
    # Less memory.
    shrink => sub { my ($to) = @_; pop @chunks while @chunks > $to },
    # Uses the first MiB again and again for so many seconds, with a pause and some MiB of fresh memory, 1 unless told, each time.
    touch => sub {
        my ($mib, $seconds, $pause, $fresh) = @_;
        my $until = now() + $seconds;
        while (now() < $until) {
            for my $chunk (0 .. $mib - 1) {
                use_again($chunk);
                last if now() >= $until;
            }
            next unless $pause;
            my @fresh = map { "z" x $MIB } 1 .. $fresh // 1;
            rest($pause);
        }
    },
    # Uses all of its memory again and again, and takes so many MiB a second more; never ends by itself.
    leak => sub {
        my ($rate) = @_;
        my ($began, $from) = (now(), scalar @chunks);
        for (my $chunk = 0; ; $chunk = ($chunk + 1) % @chunks) {
            use_again($chunk);
            push @chunks, "x" x $MIB while @chunks - $from < $rate * (now() - $began);
        }
    },
    # Reads a file again and again for so many seconds.
    read => sub {
        my ($path, $seconds) = @_;
        my $until = now() + $seconds;
        while (now() < $until) {
            open(my $file, "<:raw", $path) or die "$path: $!";
            while (now() < $until && sysread($file, my $block, $MIB)) { }
        }
    },
    # Writes a file of so many MiB, at so many MiB a second.
    fill => sub {
        my ($path, $mib, $rate) = @_;
        open(my $file, ">>:raw", $path) or die "$path: $!";
        my $began = now();
        for my $written (1 .. $mib) {
            syswrite($file, "x" x $MIB) or die "$path: $!";
            my $ahead = $written / $rate - (now() - $began);
            rest($ahead) if $ahead > 0.02;
        }
    },
    sleep => sub { rest($_[0]) },
    # Notes the time, in seconds since 1970: from now on there is harm.
    harm => sub { note("harm", sprintf("%.3f", now())) },
    # Tells that what comes before the recording is done, and waits for its beginning.
    ready => sub { note("ready", "1"); rest(0.1) until -e "$folder/go" },
    # Tells that what comes before is done, and waits until it is told this word.
    await => sub { my ($word) = @_; note("awaits-$word", "1"); rest(0.1) until -e "$folder/$word" },
);

for my $step (@steps) {
    my ($what, @how) = split /:/, $step;
    $do{$what}->(@how);
}
rest(1e6);

# Debian's perl-base has no Time::HiRes. System call 228 of x86-64 is clock_gettime, whose clock 0 is the time of day.
sub now {
    my $buffer = "\0" x 16;
    syscall(228, 0, $buffer) == 0 or die "clock_gettime: $!";
    my ($seconds, $nanoseconds) = unpack("qq", $buffer);
    return $seconds + $nanoseconds / 1e9;
}

sub use_again {
    my ($chunk) = @_;
    for (my $at = 0; $at < $MIB; $at += $PAGE) { substr($chunks[$chunk], $at, 1) = "y" }
}

sub rest { select(undef, undef, undef, $_[0]) }

sub note {
    my ($what, $text) = @_;
    open(my $file, ">", "$folder/$name.$what") or die "$folder/$name.$what: $!";
    print $file "$text\n";
    close($file);
}
