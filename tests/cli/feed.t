Samples are listed, and everything is read to see that it is whole.

  $ pitcrew feed
  Usage: pitcrew feed VERB [OPTION...] PATH...
  Look after the samples that a job reads.
  
    index    list samples, and keep where they lie in tar shards
    verify   read all samples: are they complete, and as they were?
    bench    time the loader on these samples
  
  'pitcrew feed VERB --help' and 'man pitcrew-feed' tell more.
  [64]
  $ pitcrew feed frob
  pitcrew feed: 'frob' is not a verb; 'pitcrew feed --help' lists them
  [64]
  $ pitcrew feed indx
  pitcrew feed: 'indx' is not a verb; did you mean 'index'?
  [64]
  $ pitcrew feed index
  pitcrew feed index: which PATH? ('pitcrew feed index --help')
  [64]
  $ pitcrew feed index --kind=tarr x
  pitcrew feed index: --kind=tarr is not known; choose one of: auto, files, manifest, tar, records, safetensors ('pitcrew feed index --help')
  [64]
  $ pitcrew feed index --record-bytes=0 x
  pitcrew feed index: --record-bytes must be 1 or more ('pitcrew feed index --help')
  [64]
  $ pitcrew feed index --record-bytes=much x
  pitcrew feed index: --record-bytes=much is no size ('pitcrew feed index --help')
  [64]
  $ pitcrew feed index /no/such/place
  pitcrew: /no/such/place: No such file or directory
  [3]
  $ mkdir d; printf hello >d/a.txt; printf hi >d/a.cls; : >d/b.txt
  $ pitcrew feed index d
  kind:     files
  samples:  3 in 3 files
  bytes:    7 (7 B)
  a sample: mean 2 B, median 2 B, smallest 0 B, largest 5 B
  $ pitcrew feed index d --suffix .txt --suffix .none | head -2
  kind:     files
  samples:  2 in 2 files
  $ pitcrew feed index --record-bytes=1 --format json d/a.txt
  {
   "kind": "records",
   "samples": 5,
   "files": 1,
   "bytes": 5,
   "mean": 1,
   "median": 1,
   "smallest": 1,
   "largest": 1,
   "fingerprint": "079354ab6d57f18f",
   "index": {
    "file": null,
    "used": 0,
    "made": 0,
    "unkept": 0,
    "why": null
   }
  }
  $ mkdir empty; pitcrew feed index empty
  pitcrew: no samples in empty
  [3]

An index is written once, and beside the shard.

  $ tar --sort=name -C d -cf s.tar a.cls a.txt b.txt
  $ pitcrew feed index s.tar
  kind:     tar
  samples:  2 in 1 file
  bytes:    7 (7 B)
  a sample: mean 3 B, median 0 B, smallest 0 B, largest 7 B
  index:    SHARD.pitidx beside each shard (1 made now, 0 were there)
  $ pitcrew feed index s.tar | tail -1
  index:    SHARD.pitidx beside each shard (0 made now, 1 were there)
  $ ls
  d
  empty
  s.tar
  s.tar.pitidx
  $ pitcrew feed index --checksums --index all s.tar | tail -1
  index:    all (1 made now, 0 were there)
  $ pitcrew feed verify s.tar
  tar: 2 samples, 7 B read, 0 checksums compared, nothing damaged
  $ pitcrew feed verify --index all s.tar
  tar: 2 samples, 7 B read, 3 checksums compared, nothing damaged
  $ touch -r s.tar time; printf H | dd of=s.tar bs=1 seek=1536 conv=notrunc status=none; touch -r time s.tar
  $ pitcrew feed verify --index all s.tar
  damaged: s.tar: a.txt: its bytes differ from its checksum
  tar: 2 samples, 7 B read, 3 checksums compared, 1 damaged
  [2]
  $ printf x | dd of=s.tar bs=1 seek=1030 conv=notrunc status=none; touch -r time s.tar
  $ pitcrew feed verify --index all --format json s.tar
  {
   "kind": "none",
   "samples": 0,
   "bytes_read": 0,
   "checksums": 0,
   "damaged": 1,
   "files": [
    {
     "name": "s.tar",
     "why": "at byte 1024: the checksum of a header is wrong"
    }
   ],
   "unsupported": [],
   "warnings": []
  }
  [2]

Files have their checksums in a manifest.

  $ pitcrew feed index --checksums d
  pitcrew: checksums of files are kept in a manifest: --index=FILE names it
  [3]
  $ pitcrew feed index --checksums --index d/list.tsv d | tail -1
  manifest: d/list.tsv
  $ cat d/list.tsv
  a.cls	0	2	2a2300bbd7ea6e9a
  a.txt	0	5	9555e8555c62dcfd
  b.txt	0	0	2d06800538d394c2
  $ pitcrew feed verify d/list.tsv
  manifest: 3 samples, 7 B read, 3 checksums compared, nothing damaged
  $ printf jello >d/a.txt; rm d/b.txt; pitcrew feed verify d/list.tsv
  damaged: d/list.tsv: line 3: d/b.txt: No such file or directory
  damaged: d/a.txt: its bytes differ from its checksum
  manifest: 2 samples, 7 B read, 2 checksums compared, 2 damaged
  [2]
  $ pitcrew feed index --index list --record-bytes 1 d/a.txt
  pitcrew: records need no index, and have no place for checksums
  [3]

A name that a manifest cannot say is told.

  $ mkdir odd; touch "odd/$(printf 'a\nb')"; pitcrew feed index --index odd.txt odd
  pitcrew: 'a?b' has a tab or a newline in its name: no manifest can say it
  [3]

What is damaged does not hide the rest.

  $ head -c 513 s.tar >cut.tar; gzip -c s.tar >z.tar; tar -cf good.tar d/a.cls
  $ pitcrew feed verify '*.tar' | sort
  damaged: cut.tar: at byte 0: a member of 2 bytes, but only 1 follow: the archive was cut
  damaged: s.tar: at byte 1024: the checksum of a header is wrong
  tar: 1 sample, 2 B read, 0 checksums compared, 1 shard without an index that fits, 1 unsupported, 2 damaged
  unsupported: z.tar: compressed by gzip: samples in it cannot be found without unpacking all of it

A tar archive is looked at beyond its last member.

  $ mkdir end; printf 1 >end/a.cls; tar -C end -cf end/good.tar a.cls; cat end/good.tar end/good.tar >end/two.tar
  $ head -c 1024 end/good.tar >end/cut.tar; gzip -c end/good.tar >end/z.tar
  $ for f in good cut two; do pitcrew feed verify end/$f.tar; echo $?; done
  tar: 1 sample, 1 B read, 0 checksums compared, 1 shard without an index that fits, nothing damaged
  0
  warning: end/cut.tar: no mark of its end: was it cut behind a member?
  tar: 1 sample, 1 B read, 0 checksums compared, 1 shard without an index that fits, nothing damaged
  1
  warning: end/two.tar: more behind the mark of its end, from byte 10240 on: it is not read (tar -i does)
  tar: 1 sample, 1 B read, 0 checksums compared, 1 shard without an index that fits, nothing damaged
  1
  $ pitcrew feed verify end/z.tar
  unsupported: end/z.tar: compressed by gzip: samples in it cannot be found without unpacking all of it
  1 unsupported, nothing damaged
  [3]
  $ pitcrew feed index end/z.tar
  pitcrew: end/z.tar: compressed by gzip: samples in it cannot be found without unpacking all of it
  [3]
  $ printf 'a.cls\t0\t1\r\nb.cls\r\n' >end/list; pitcrew feed index --kind manifest end/list
  pitcrew: end/list: line 2: end/b.cls: No such file or directory
  [3]
  $ pitcrew feed index --kind records end/a.cls
  pitcrew: records: the size of one is not given (--record-bytes, record_bytes)
  [3]
