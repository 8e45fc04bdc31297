Weights: what is in a model, whether it is whole, and how fast it is read.

  $ pitcrew weights
  Usage: pitcrew weights VERB [OPTION...] MODEL
  Look at the weights of a model.
  
    inspect   list tensors: names, types, shapes, and where they lie
    verify    read everything and compare checksums
    time      read everything as a server does at its start
  
  'pitcrew weights VERB --help' and 'man pitcrew-weights' tell more.
  [64]
  $ pitcrew weights verfy x
  pitcrew weights: 'verfy' is not a verb; did you mean 'verify'?
  [64]
  $ pitcrew weights inspect
  pitcrew weights inspect: a MODEL is missing ('pitcrew weights inspect --help')
  [64]
  $ pitcrew weights inspect a b
  pitcrew weights inspect: 'b': one MODEL at a time ('pitcrew weights inspect --help')
  [64]
  $ pitcrew weights inspect --format yaml a
  pitcrew weights inspect: --format=yaml is not known; choose one of: text, json ('pitcrew weights inspect --help')
  [64]
  $ pitcrew weights time --depth=0 a
  pitcrew weights time: --depth=0 is not a number from 1 to 4096 ('pitcrew weights time --help')
  [64]
  $ pitcrew weights time --repeat=0 a
  pitcrew weights time: --repeat=0 is not a number from 1 to 1000 ('pitcrew weights time --help')
  [64]
  $ pitcrew weights time --engine=x a
  pitcrew weights time: --engine=x is not known; choose one of: auto, io_uring-fixed, io_uring, threads ('pitcrew weights time --help')
  [64]
  $ pitcrew weights inspect none
  pitcrew: cannot open none: No such file or directory
  [3]
  $ mkfifo pipe; pitcrew weights inspect pipe
  pitcrew: pipe is not a regular file
  [3]

A file of two tensors and what it says of itself.

  $ st() { printf "$(printf '\\%o' ${#1})\0\0\0\0\0\0\0%s%s" "$1" "$2"; }; st '{"__metadata__":{"format":"pt"},"b\u001b[1m":{"dtype":"U8","shape":[3],"data_offsets":[8,11]},"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}' 12345678abc >a.safetensors; pitcrew weights inspect a.safetensors
  a.safetensors
    format: pt
    BF16              8 B            158  a [2, 2]
    U8                3 B            166  b?[1m [3]
  U8                  3 B in 1 tensor
  BF16                8 B in 1 tensor
  all                11 B in 2 tensors, 1 file
  $ pitcrew weights inspect --format json a.safetensors
  {
   "bytes": 11,
   "files": [
    {
     "path": "a.safetensors",
     "metadata": {
      "format": "pt"
     }
    }
   ],
   "tensors": [
    {
     "name": "a",
     "dtype": "BF16",
     "shape": [
      2,
      2
     ],
     "bytes": 8,
     "file": 0,
     "offset": 158
    },
    {
     "name": "b\u001B[1m",
     "dtype": "U8",
     "shape": [
      3
     ],
     "bytes": 3,
     "file": 0,
     "offset": 166
    }
   ]
  }
  $ pitcrew weights verify a.safetensors
  no damage was found, as far as one can tell: 2 tensors, 11 B; 0 of them compared with a checksum
  [1]
  $ pitcrew weights verify --format json a.safetensors
  {
   "damaged": false,
   "tensors": 2,
   "checked": 0,
   "bytes": 11,
   "damaged_tensors": 0,
   "first": null,
   "error": null,
   "not_in_index": []
  }
  [1]

With checksums.

  $ mkdir m; pitcrew ckpt convert a.safetensors m/a.safetensors >/dev/null; pitcrew weights verify m
  whole: 2 tensors, 11 B; 2 of them compared with a checksum
  $ printf x | dd of=m/a.safetensors bs=1 seek=$(($(stat -c %s m/a.safetensors) - 1)) conv=notrunc status=none; pitcrew weights verify m
  damaged: 1 of 2 tensors differ from their checksums; the first is 'b?[1m'
  [2]
  $ pitcrew weights verify --format json m
  {
   "damaged": true,
   "tensors": 2,
   "checked": 2,
   "bytes": 11,
   "damaged_tensors": 1,
   "first": "b\u001B[1m",
   "error": "1 of 2 tensors differ from their checksums; the first is 'b?[1m'",
   "not_in_index": []
  }
  [2]

Against the rules.

  $ printf '1234567' >bad.safetensors; pitcrew weights verify bad.safetensors
  damaged: bad.safetensors breaks HeaderTooSmall: the file has 7 bytes, and the length of the header alone takes 8
  [2]
  $ pitcrew weights inspect bad.safetensors
  pitcrew: bad.safetensors breaks HeaderTooSmall: the file has 7 bytes, and the length of the header alone takes 8
  [2]
  $ st() { printf "$(printf '\\%o' ${#1})\0\0\0\0\0\0\0%s%s" "$1" "$2"; }; st '{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}' ab >bad.safetensors; pitcrew weights inspect bad.safetensors
  pitcrew: bad.safetensors breaks MetadataIncompleteBuffer: the tensors end at 3 and the file has 2 bytes of data: it was cut off
  [2]
  $ pitcrew weights time bad.safetensors
  pitcrew: bad.safetensors breaks MetadataIncompleteBuffer: the tensors end at 3 and the file has 2 bytes of data: it was cut off
  [2]

In shards.

  $ mkdir s; cp a.safetensors s/x.safetensors; echo '{"weight_map":{"a":"x.safetensors","c":"y.safetensors"}}' >s/model.safetensors.index.json; pitcrew weights inspect s
  pitcrew: s: a shard is missing: cannot open s/y.safetensors: No such file or directory
  [2]
  $ pitcrew weights verify s; pitcrew ckpt verify s
  damaged: s: a shard is missing: cannot open s/y.safetensors: No such file or directory
  FAIL  s: a shard is missing: cannot open s/y.safetensors: No such file or directory
  [2]
  $ pitcrew feed index s
  pitcrew: s/y.safetensors: it is in the model's index, but missing
  [3]
  $ pitcrew feed verify s
  damaged: s/y.safetensors: it is in the model's index, but missing
  safetensors: 2 samples, 11 B read, 0 checksums compared, 1 damaged
  [2]
  $ echo '{"weight_map":{"a":"x.safetensors"}}' >s/model.safetensors.index.json; pitcrew weights inspect s
  pitcrew: s: tensor 'b?[1m' of x.safetensors is not in the index
  [2]
  $ echo '{"weight_map":{"a":"x.safetensors","b\u001b[1m":"x.safetensors"}}' >s/model.safetensors.index.json; pitcrew weights inspect s | tail -1; cp a.safetensors s/old.safetensors; pitcrew weights verify s; pitcrew ckpt verify s; rm s/old.safetensors
  all                11 B in 2 tensors, 1 file
  warning: old.safetensors is not in the index: nobody reads it
  no damage was found, as far as one can tell: 2 tensors, 11 B; 0 of them compared with a checksum
  warn  x.safetensors: 2 tensors, 11 B; no checksums: its form is right, more cannot be told
  warn  old.safetensors: is not in the index: nobody reads it

Timing.

  $ pitcrew weights time --cold --verify --repeat 2 --engine threads --cache buffered --depth 2 m/../a.safetensors | grep -v '^\(cache\|pages\|node\|lock\|engine\) ' | sed 's/[0-9.]* s, [0-9]* MiB/T s, N MiB/; s/[0-9]* KiB of/N KiB of/'
  11 B in 2 tensors, 1 file; into N KiB of memory
  round 1: T s, N MiB/s
  round 2: T s, N MiB/s
  median:  T s, N MiB/s
  $ pitcrew weights time --repeat 1 --format json a.safetensors | python3 -c 'import json, sys; print(*json.load(sys.stdin))'
  bytes tensors memory seconds mib_per_s ladder
