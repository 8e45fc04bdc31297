A snapshot is private, is judged as the machine was, and is not written by halves.

  $ pitcrew snapshot -o s.tar.zst >/dev/null; stat -c '%a' s.tar.zst
  600
  $ pitcrew check --root s.tar.zst --only memory.swappiness >/dev/null; test $? -le 1
  $ ls | wc -l
  1
  $ pitcrew snapshot -o s.zip
  pitcrew: s.zip: end the name in .tar.zst, .tar.gz, .tar.xz, .tar.bz2 or .tar
  [3]
  $ pitcrew snapshot -o /no/such/dir/s.tar
  pitcrew: cannot create /no/such/dir/s.tar: No such file or directory
  [3]
  $ pitcrew snapshot extra
  pitcrew snapshot: 'extra': --output=FILE names the file ('pitcrew snapshot --help')
  [64]
  $ SECRET_THING=hunter2 OMP_NUM_THREADS=7 pitcrew snapshot -o e.tar >/dev/null; grep -c hunter2 e.tar
  0
  [1]
  $ grep -c OMP_NUM_THREADS=7 e.tar
  1

The two readings of a counter lie a whole sample (50 ms) apart, whichever row asks for the second first.

  $ mkdir e; tar -xf e.tar -C e; head -qn1 e/.pitcrew/again/* | awk '$1 == "interval_ns"' | wc -l | awk '$1 > 2 {print "some"}'
  some
  $ head -qn1 e/.pitcrew/again/* | awk '$2 < 30e6'

No half of one stays when the disk or the quota is full.

  $ (ulimit -f 8; pitcrew snapshot -o full.tar; echo $?; ls full.tar*) 2>&1 | grep -v '^ls:'
  pitcrew: cannot write full.tar: Write error
  3

Nor when it is killed.

  $ mkdir k; for s in 0.02 0.05 0.08 0.11 0.14; do timeout -s KILL $s pitcrew snapshot -o k/s.tar >/dev/null 2>&1; done; ls k | grep -v '^s.tar$'
  [1]
