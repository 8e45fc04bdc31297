Checkpoints: what is in them, whether they are whole, and conversion.

  $ pitcrew ckpt
  Usage: pitcrew ckpt VERB [OPTION...] PATH...
  Look after what a job saved.
  
    inspect   what is in a checkpoint or file
    verify    read everything and compare checksums: any flipped bit shows
    convert   between checkpoints, single files and sharded models
  
  'pitcrew ckpt VERB --help' and 'man pitcrew-ckpt' tell more.
  [64]
  $ pitcrew ckpt --help
  Usage: pitcrew ckpt VERB [OPTION...] PATH...
  Look after what a job saved.
  
    inspect   what is in a checkpoint or file
    verify    read everything and compare checksums: any flipped bit shows
    convert   between checkpoints, single files and sharded models
  
  'pitcrew ckpt VERB --help' and 'man pitcrew-ckpt' tell more.
  $ pitcrew ckpt verfy x
  pitcrew ckpt: 'verfy' is not a verb; did you mean 'verify'?
  [64]
  $ pitcrew ckpt frobnicate
  pitcrew ckpt: 'frobnicate' is not a verb; 'pitcrew ckpt --help' lists them
  [64]
  $ pitcrew ckpt inspect
  pitcrew ckpt inspect: a PATH is missing ('pitcrew ckpt inspect --help')
  [64]
  $ pitcrew ckpt inspect a b
  pitcrew ckpt inspect: 'b': one PATH at a time ('pitcrew ckpt inspect --help')
  [64]
  $ pitcrew ckpt inspect --step=x a
  pitcrew ckpt inspect: --step=x is no number of a step ('pitcrew ckpt inspect --help')
  [64]
  $ pitcrew ckpt verify --all --step=1 a
  pitcrew ckpt verify: --all and --step exclude each other ('pitcrew ckpt verify --help')
  [64]
  $ pitcrew ckpt convert a
  pitcrew ckpt convert: SOURCE or TARGET is missing ('pitcrew ckpt convert --help')
  [64]
  $ pitcrew ckpt convert a b c
  pitcrew ckpt convert: 'c': SOURCE and TARGET are given already ('pitcrew ckpt convert --help')
  [64]
  $ pitcrew ckpt convert --shard-size=0 a b
  pitcrew ckpt convert: --shard-size=0 is no size ('pitcrew ckpt convert --help')
  [64]
  $ printf 'PK\003\004................' >x.pt; pitcrew ckpt convert x.pt y.safetensors; printf '\200\002................' >x.pt; pitcrew ckpt inspect x.pt
  pitcrew: x.pt: 20 bytes are too few for a zip archive
  pitcrew: x.pt: a pickle or an archive as torch wrote before 1.6: refused; torch.load() it where you trust it, and save it again
  [3]
  $ pitcrew ckpt inspect absent
  pitcrew: absent: No such file or directory
  [3]
  $ pitcrew ckpt verify absent
  ????  absent: No such file or directory
  [3]

A file of another writer: no checksums.

  $ python3 -c 'import struct; h = b"{\"__metadata__\":{\"format\":\"pt\"},\"a\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},\"b\":{\"dtype\":\"BF16\",\"shape\":[],\"data_offsets\":[24,26]},\"empty\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[26,26]}}"; open("m.safetensors", "wb").write(struct.pack("<Q", len(h)) + h + bytes(range(26)))'
  $ pitcrew ckpt inspect m.safetensors
  m.safetensors: 3 tensors, 26 B, no checksums
    format = pt
    F32           24 B  a [2, 3]
    BF16           2 B  b []
    U8             0 B  empty [0]
  $ pitcrew ckpt inspect --format json m.safetensors
  {
   "checkpoint": null,
   "files": [
    {
     "file": "m.safetensors",
     "checksums": false,
     "metadata": {
      "format": "pt"
     },
     "tensors": [
      {
       "name": "a",
       "dtype": "F32",
       "shape": [
        2,
        3
       ],
       "bytes": 24,
       "offset": 209
      },
      {
       "name": "b",
       "dtype": "BF16",
       "shape": [],
       "bytes": 2,
       "offset": 233
      },
      {
       "name": "empty",
       "dtype": "U8",
       "shape": [
        0
       ],
       "bytes": 0,
       "offset": 235
      }
     ]
    }
   ]
  }
  $ pitcrew ckpt verify m.safetensors
  warn  m.safetensors: 3 tensors, 26 B; no checksums: its form is right, more cannot be told
  [1]

Into a checkpoint, and what that is.

  $ pitcrew ckpt convert m.safetensors job
  job: 3 tensors, 26 B
  $ pitcrew ckpt convert --as-step 200 m.safetensors job
  pitcrew: job is there already; --force replaces it
  [3]
  $ pitcrew ckpt convert --as-step 200 --force m.safetensors job
  job: 3 tensors, 26 B
  $ ls -A job job/latest/
  job:
  latest
  step-00000000
  step-00000200
  
  job/latest/:
  manifest.json
  model.safetensors
  $ pitcrew ckpt inspect job
  path   job/step-00000200
  step   200
  ranks  1
  
  model.safetensors: 3 tensors, 26 B, with checksums
    F32           24 B  a [2, 3]
    BF16           2 B  b []
    U8             0 B  empty [0]
  $ pitcrew ckpt inspect --step 0 job | head -3
  path   job/step-00000000
  step   0
  ranks  1
  $ pitcrew ckpt inspect --step 7 job
  pitcrew: job: there is no step 7
  [3]
  $ pitcrew ckpt verify job
  job/step-00000200: step 200
  ok    model.safetensors: 3 tensors, 26 B
  $ pitcrew ckpt verify --all job
  job/step-00000000: step 0
  ok    model.safetensors: 3 tensors, 26 B
  job/step-00000200: step 200
  ok    model.safetensors: 3 tensors, 26 B
  $ pitcrew ckpt verify --format json job/step-00000200
  {
   "ok": true,
   "checkpoints": [
    {
     "path": "job/step-00000200",
     "step": 200,
     "ok": true,
     "error": null,
     "files": [
      {
       "file": "model.safetensors",
       "ok": true,
       "tensors": 3,
       "checked": 3,
       "bytes": 26,
       "damaged": 0,
       "first": null,
       "error": null
      }
     ]
    }
   ]
  }

Out of it, as one file and as shards.

  $ pitcrew ckpt convert job one.safetensors
  one.safetensors: 3 tensors, 26 B
  $ pitcrew ckpt convert job one.safetensors
  pitcrew: one.safetensors is there already; --force replaces it
  [3]
  $ pitcrew ckpt verify one.safetensors
  ok    one.safetensors: 3 tensors, 26 B
  $ tail -c 26 one.safetensors | od -An -tu1
     0   1   2   3   4   5   6   7   8   9  10  11  12  13  14  15
    16  17  18  19  20  21  22  23  24  25
  $ pitcrew ckpt convert --shard-size 24 one.safetensors sharded
  sharded: 3 tensors, 26 B
  $ ls sharded
  model-00001-of-00002.safetensors
  model-00002-of-00002.safetensors
  model.safetensors.index.json
  $ cat sharded/model.safetensors.index.json
  {
    "metadata": {
      "total_size": 26
    },
    "weight_map": {
      "a": "model-00001-of-00002.safetensors",
      "b": "model-00002-of-00002.safetensors",
      "empty": "model-00002-of-00002.safetensors"
    }
  }
  $ pitcrew ckpt verify sharded
  ok    model-00001-of-00002.safetensors: 1 tensor, 24 B
  ok    model-00002-of-00002.safetensors: 2 tensors, 2 B
  $ pitcrew ckpt verify sharded/model.safetensors.index.json
  ok    model-00001-of-00002.safetensors: 1 tensor, 24 B
  ok    model-00002-of-00002.safetensors: 2 tensors, 2 B
  $ pitcrew ckpt convert sharded again.safetensors; tail -c 26 again.safetensors | cmp - m.safetensors 2>&1 | grep -c differ
  again.safetensors: 3 tensors, 26 B
  1
  $ pitcrew ckpt convert --shard-size 24 one.safetensors sharded
  pitcrew: sharded is there already; --force replaces it
  [3]

Damage: a flipped bit in a tensor, one in the header, a cut tail, bytes too many, a missing shard, one that is not listed,
another file of the same size, a damaged manifest, none.

  $ flip() { python3 -c 'import sys; f = open(sys.argv[1], "r+b"); f.seek(int(sys.argv[2]), int(sys.argv[2]) < 0 and 2 or 0); b = f.read(1); f.seek(-1, 1); f.write(bytes([b[0] ^ 1]))' "$@"; }; flip one.safetensors -3; pitcrew ckpt verify one.safetensors; flip one.safetensors -3; flip one.safetensors 3000; pitcrew ckpt verify one.safetensors; flip one.safetensors 3000; pitcrew ckpt verify one.safetensors
  FAIL  one.safetensors: 1 of 3 tensors differ from their checksums; the first is 'a'
  FAIL  one.safetensors breaks InvalidHeaderDeserialization: byte 2992 of the header: something comes behind the JSON object
  ok    one.safetensors: 3 tensors, 26 B
  $ cp one.safetensors x.safetensors; truncate -s -1 x.safetensors; pitcrew ckpt verify x.safetensors
  FAIL  x.safetensors breaks MetadataIncompleteBuffer: the tensors end at 26 and the file has 25 bytes of data: it was cut off
  [2]
  $ cp one.safetensors x.safetensors; printf x >>x.safetensors; pitcrew ckpt verify x.safetensors; rm x.safetensors
  FAIL  x.safetensors breaks MetadataIncompleteBuffer: the tensors end at 26 and the file has 27 bytes of data: it has more behind them
  $ cp -r job bad; cp m.safetensors bad/latest/more.safetensors; pitcrew ckpt verify bad
  bad/step-00000200: step 200
  ok    model.safetensors: 3 tensors, 26 B
  FAIL  more.safetensors: is not in the manifest
  [2]
  $ rm bad/latest/more.safetensors; pitcrew ckpt convert --force m.safetensors other.safetensors; python3 -c 'd = open("other.safetensors", "rb").read(); open("bad/latest/model.safetensors", "wb").write(d)'; pitcrew ckpt verify bad
  other.safetensors: 3 tensors, 26 B
  bad/step-00000200: step 200
  FAIL  bad/step-00000200/model.safetensors: this is another file than the manifest speaks of (header 956762659d63b4eb, not e0846e0e3f546e0e)
  [2]
  $ pitcrew ckpt verify --all bad
  bad/step-00000000: step 0
  ok    model.safetensors: 3 tensors, 26 B
  bad/step-00000200: step 200
  FAIL  bad/step-00000200/model.safetensors: this is another file than the manifest speaks of (header 956762659d63b4eb, not e0846e0e3f546e0e)
  [2]
  $ truncate -s +1 bad/latest/model.safetensors; pitcrew ckpt verify bad
  FAIL  bad/step-00000200: model.safetensors: has 4123 bytes, not the 4122 of the manifest
  [2]
  $ rm bad/latest/model.safetensors; pitcrew ckpt verify bad
  FAIL  bad/step-00000200: model.safetensors: is missing
  [2]
  $ pitcrew ckpt convert bad x.safetensors
  pitcrew: bad/step-00000200: model.safetensors: is missing
  [2]
  $ cp -r job worse; truncate -s 100 worse/latest/manifest.json; pitcrew ckpt verify worse; pitcrew ckpt inspect worse
  FAIL  worse/step-00000200: manifest.json: it does not end with a checksum: cut short, or no manifest
  pitcrew: worse/step-00000200: manifest.json: it does not end with a checksum: cut short, or no manifest
  [2]
  $ rm worse/latest/manifest.json; pitcrew ckpt verify --all worse
  worse/step-00000000: step 0
  ok    model.safetensors: 3 tensors, 26 B
  FAIL  worse/step-00000200: the manifest is missing
  [2]

Shards that do not fit their index are damage.

  $ pitcrew ckpt convert --shard-size=16 m.safetensors swapped; cd swapped; set -- *.safetensors; mv $1 t; mv $2 $1; mv t $2; pitcrew ckpt verify .
  swapped: 3 tensors, 26 B
  FAIL  .: the index says that tensor 'a' is in model-00001-of-00002.safetensors, and it is in model-00002-of-00002.safetensors
  [2]
