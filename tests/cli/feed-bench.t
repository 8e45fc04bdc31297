How fast samples come. The figures are the machine's: only their form, and what was read, is held here.

  $ pitcrew feed bench
  pitcrew feed bench: which PATH? ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --batch=0 d
  pitcrew feed bench: --batch=0 is not a number from 1 to 1000000000 ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --shuffle=some d
  pitcrew feed bench: --shuffle=some is not known; choose one of: full, blocks, none ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --engine=aio d
  pitcrew feed bench: --engine=aio is not known; choose one of: auto, io_uring-fixed, io_uring, threads ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --cache=none d
  pitcrew feed bench: --cache=none is not known; choose one of: auto, direct, dontcache, buffered ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --step=fast d
  pitcrew feed bench: --step=fast is no time, such as 40ms ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --memory=none d
  pitcrew feed bench: --memory=none is no size ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --seed=x d
  pitcrew feed bench: --seed=x is no number ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --world=2 --rank=2 d
  pitcrew feed bench: --rank=2 is none of --world=2 ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench --cache-dir=c d
  pitcrew feed bench: --cache-dir needs --sample-cache=SIZE ('pitcrew feed bench --help')
  [64]
  $ pitcrew feed bench d
  pitcrew: d: No such file or directory
  [3]
  $ mkdir d; for i in 1 2 3 4 5 6 7; do printf 'sample %d' $i >d/$i; done
  $ pitcrew feed bench d --batch 3 --epochs 2 --seed 5 --step 1ms --memory 1M | sed '/^[cplnebd][a-z]*  /d; /read from/d; s/[0-9][0-9.]* s:/N s:/; s/in [0-9.]* s/in N s/; s/[0-9.]* ms/N ms/g; s/[0-9]* samples\/s/N samples\/s/; s/[0-9]* MiB\/s/N MiB\/s/; s/[0-9.]* %/N %/; s/[0-9]* requests/N requests/'
  files: 7 samples, listed in N s; batches of 3
  epoch 0    7 samples, 56 B in N s: N samples/s, N MiB/s
             first batch N ms; wait for a batch: median N ms, 99th of 100 N ms, N % of the time
             accelerator busy N % of the time behind the first step
  epoch 1    7 samples, 56 B in N s: N samples/s, N MiB/s
             first batch N ms; wait for a batch: median N ms, 99th of 100 N ms, N % of the time
             accelerator busy N % of the time behind the first step
  memory 1 MiB at most, N requests at once at the end
  $ pitcrew feed bench d --batch 3 --cold --epochs 2 --memory 1M --engine threads --cache buffered --depth 2 -f json >j; python3 -c 'import json; j = json.load(open("j")); print(j["kind"], j["samples"], j["batch"], [(e["epoch"], e["samples"], e["batches"], e["bytes"], e["page_cache_bytes_left"] >= 0) for e in j["epochs"]], [r["rung"] for r in j["ladder"] if r["ladder"] in ("engine", "cache") and r["state"] == "taken"], j["failed"])'
  files 7 3 [(0, 7, 3, 56, True), (1, 7, 3, 56, True)] ['page cache', 'threads'] 0
  $ pitcrew feed bench d --world 2 --rank 1 --batch 2 --as-ready --check --shuffle none -f json | grep -m1 '"bytes"'
     "bytes": 24,
  $ pitcrew feed bench d --sample-cache 1M --cache-policy lru --epochs 3 --shuffle blocks | grep 'sample cache:'
             sample cache: 0.0 % of the bytes; no policy can have more than 100.0 %
             sample cache: 100.0 % of the bytes; no policy can have more than 100.0 %
             sample cache: 100.0 % of the bytes; no policy can have more than 100.0 %
  $ printf '1\t0\t8\t00000000000000ff\n2\t0\t8\n' >d/list; pitcrew feed bench --kind manifest d/list --check
  pitcrew: sample 0: d/1 has changed: its checksum is e0c9bec2cca77d98, not 00000000000000ff
  [3]
  $ pitcrew feed bench --kind manifest d/list --check --on-error skip | grep failed | sed 's/.* requests/N requests/'
  N requests at once at the end, 1 sample failed
  failed: sample 0: d/1 has changed: its checksum is e0c9bec2cca77d98, not 00000000000000ff
