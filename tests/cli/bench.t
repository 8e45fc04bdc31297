What I/O does at a place. The figures are the machine's: only their form is held here.

  $ pitcrew bench
  Usage: pitcrew bench VERB [OPTION...]
  Measure what this machine allows, and why.
  
    io       reads and writes at a place: the way taken, better ones refused, throughput
  
  Try 'pitcrew bench io --help'; 'man pitcrew-bench' tells more.
  [64]
  $ pitcrew bench disk
  pitcrew bench: 'disk' is not a verb; there is 'io'
  [64]
  $ pitcrew bench --help | head -2
  Usage: pitcrew bench VERB [OPTION...]
  Measure what this machine allows, and why.
  $ pitcrew bench io
  pitcrew bench io: name a PATH ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io ''
  pitcrew bench io: an empty PATH ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io a b
  pitcrew bench io: 'b': one PATH at a time ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --engine=aio .
  pitcrew bench io: --engine=aio is not known; choose one of: auto, io_uring-fixed, io_uring, threads ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --cache=none .
  pitcrew bench io: --cache=none is not known; choose one of: auto, direct, dontcache, buffered ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --depth=0 .
  pitcrew bench io: --depth=0 is not a number from 1 to 4096 ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --size=1k .
  pitcrew bench io: --size=1k is not a size from 8M to 1T ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --time=1ms .
  pitcrew bench io: --time=1ms is not a time from 100ms to 1h ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --format=xml .
  pitcrew bench io: --format=xml is not known; choose one of: text, json ('pitcrew bench io --help')
  [64]
  $ pitcrew bench io --help | head -1
  Usage: pitcrew bench io [OPTION...] PATH

A place that is none, or cannot be written.

  $ pitcrew bench io nowhere
  pitcrew: nowhere: No such file or directory
  [3]
  $ pitcrew bench io /dev/null
  pitcrew: /dev/null: neither a directory nor a file
  [3]
  $ : > file; pitcrew bench io --write file
  pitcrew: file: a file is only read; name a directory for writing
  [3]

Each ladder has a rung that is taken, and nothing is left behind.

  $ mkdir d; pitcrew bench io --time=500ms --size=8M --write d > out; ls -A d
  $ head -1 out
  d: [a-z0-9.]+, a file made here of 8 MiB (re)
  $ for l in engine cache pages lock node; do awk -v l=$l '$1 == l && / taken / { print l }' out; done
  engine
  cache
  pages
  lock
  node
  $ tail -7 out | cut -c1-22
            block  depth
  read      4 KiB     32
  read    128 KiB     32
  read      4 MiB     16
  write     4 KiB     32
  write   128 KiB     32
  write     4 MiB     16

What is asked for is taken.

  $ pitcrew bench io --time=100ms --size=8M --engine=threads --cache=buffered --depth=3 d > out; grep ' taken ' out | head -2 | tr -s ' '
  engine threads taken 3 threads
  cache page cache taken .* (re)
  $ tail -2 out | cut -c1-22
  read    128 KiB      3
  read      4 MiB      3
  $ head -c 100000 /dev/zero > file; pitcrew bench io --time=100ms --format=json file > out.json; grep -c '"what": "read"' out.json
  1
  $ grep -E '"(file_bytes|file_made|block)"' out.json
   "file_bytes": 100000,
   "file_made": false,
     "block": 4096,
  $ head -c 100 /dev/zero > file; pitcrew bench io --engine=threads file | tail -1
  Too small to be timed.

Ended by a signal it leaves nothing, either.

  $ timeout -s INT 1 pitcrew bench io --time=30s --size=8M d; ls -A d
