What the journals of a state directory say, beside a recorded machine. The sums in tune/*.journal are made by tests/tune/seal.

  $ pitcrew tune status --root / --state /no/such/state
  Nothing was changed here yet: there is no journal in /no/such/state.
  $ pitcrew tune verify --state /no/such/state
  No transaction is in force, so there is nothing to verify.
  $ pitcrew tune log --state /no/such/state
  Nothing was changed here yet: there is no journal in /no/such/state.
  $ pitcrew tune status --state here
  pitcrew tune status: --state=here: give an absolute path ('pitcrew tune status --help')
  [64]
  $ mkdir -m 700 s s/tune; install -m 600 $HOSTS/../cli/tune/000[1-5].journal s/tune
  $ mkdir -p m/proc/sys/kernel/random m/proc/sys/vm m/proc/sys/net/ipv4 m/etc/sysctl.d m/proc/irq/35
  $ echo b0070000-0000-4000-8000-000000000001 > m/proc/sys/kernel/random/boot_id
  $ echo 1 > m/proc/sys/vm/swappiness; echo 6 > m/proc/sys/vm/companion; echo 40 > m/proc/sys/vm/dirty_ratio
  $ printf '4096\t87380\t16777216\n' > m/proc/sys/net/ipv4/tcp_rmem; echo 3 > m/proc/sys/vm/zone_reclaim_mode
  $ echo 1 > m/proc/sys/kernel/numa_balancing; echo 0-3 > m/proc/irq/35/smp_affinity_list; echo 65530 > m/proc/sys/vm/max_map_count
  $ echo 20 > m/proc/sys/vm/compaction_proactiveness; printf '# pitcrew\nvm.swappiness = 10\n' > m/etc/sysctl.d/99-zz-pitcrew-0001.conf
  $ printf '\nkernel.numa_balancing = 1\n' > m/etc/sysctl.d/99-zzz-site.conf

All that is in force is told, what was cut off with the command that puts it right.

  $ TZ=UTC pitcrew tune status --root m --state $PWD/s | sed "s,$PWD/,,"
  5 transactions in s, 4 in force.
  
     5  applied        2025-11-13 02:15  apply of training
        1 value: 1 gone with a reboot
        Nothing of it is left; 'pitcrew tune revert 5' closes it.
     4  interrupted    2025-11-13 10:33  trial
        2 values: 1 set, 1 as before
        Put it right: pitcrew tune revert 4
     3  applied        2025-11-13 07:46  apply of site.ini
        2 values: 1 hold, 1 not there any more
     2  reverted       2025-11-13 05:00  apply of inference
     1  applied        2025-11-13 02:13  apply of training, persistent
        6 values: 2 hold, 1 back at the old value, 1 changed since by somebody
        else, 1 replaced by a later transaction, 1 gone with a reboot
  $ pitcrew tune status --root m --state $PWD/s --format json | sed "s,$PWD/,,"
  {
   "state_dir": "s",
   "boot": "b0070000-0000-4000-8000-000000000001",
   "transactions": [
    {
     "txn": 1,
     "state": "applied",
     "time": 1763000000,
     "kind": "apply",
     "profile": "training",
     "persist": true,
     "uid": 0,
     "damage": null,
     "values": {
      "all": 6,
      "hold": 2,
      "old": 1,
      "other": 1,
      "replaced": 1,
      "gone": 1,
      "missing": 0,
      "unknown": 0
     },
     "kept": [],
     "remedy": null
    },
    {
     "txn": 2,
     "state": "reverted",
     "time": 1763010000,
     "kind": "apply",
     "profile": "inference",
     "persist": false,
     "uid": 0,
     "damage": null,
     "values": null,
     "kept": [],
     "remedy": null
    },
    {
     "txn": 3,
     "state": "applied",
     "time": 1763020000,
     "kind": "apply",
     "profile": "site.ini",
     "persist": false,
     "uid": 0,
     "damage": null,
     "values": {
      "all": 2,
      "hold": 1,
      "old": 0,
      "other": 0,
      "replaced": 0,
      "gone": 0,
      "missing": 1,
      "unknown": 0
     },
     "kept": [],
     "remedy": null
    },
    {
     "txn": 4,
     "state": "interrupted",
     "time": 1763030000,
     "kind": "trial",
     "profile": null,
     "persist": false,
     "uid": 0,
     "damage": null,
     "values": {
      "all": 2,
      "hold": 1,
      "old": 1,
      "other": 0,
      "replaced": 0,
      "gone": 0,
      "missing": 0,
      "unknown": 0
     },
     "kept": [],
     "remedy": "pitcrew tune revert 4"
    },
    {
     "txn": 5,
     "state": "applied",
     "time": 1763000100,
     "kind": "apply",
     "profile": "training",
     "persist": false,
     "uid": 0,
     "damage": null,
     "values": {
      "all": 1,
      "hold": 0,
      "old": 0,
      "other": 0,
      "replaced": 0,
      "gone": 1,
      "missing": 0,
      "unknown": 0
     },
     "kept": [],
     "remedy": null
    }
   ]
  }

Verify names what does not hold, with both values and who sets it (d03), keys that are gone too (d02).

  $ pitcrew tune verify --root m --state $PWD/s
    ! vm.zone_reclaim_mode: wanted 1, found 3
    ! kernel.numa_balancing: wanted 0, found 1 as it was before; set by
      /etc/sysctl.d/99-zzz-site.conf:2 (1)
    ! vm.gone: wanted 1, but this machine has no such thing: /proc/sys/vm/gone: No
      such file or directory
  Transaction 4 is interrupted; put it right with: pitcrew tune revert 4
  1 run-time value is gone since the machine was booted; 'pitcrew tune apply --persist' makes them last.
  3 of 7 values hold, 4 do not.
  1 of interrupts cannot be compared: their numbers change with each boot.
  [1]
  $ rm s/tune/0004.journal s/tune/0005.journal; pitcrew tune verify --root m --state $PWD/s --verbose
   ok net.ipv4.tcp_rmem: wanted 4096 87380 16777216, holds
    ! vm.zone_reclaim_mode: wanted 1, found 3
    ! kernel.numa_balancing: wanted 0, found 1 as it was before; set by
      /etc/sysctl.d/99-zzz-site.conf:2 (1)
   ok /proc/irq/35/smp_affinity_list: wanted 0-1, set again at boot under another
      number of the interrupt
   ok /etc/sysctl.d/99-zz-pitcrew-0001.conf: wanted a text of 29 bytes, holds
   ok vm.swappiness: wanted 1, holds
    ! vm.gone: wanted 1, but this machine has no such thing: /proc/sys/vm/gone: No
      such file or directory
  3 of 6 values hold, 3 do not.
  1 of interrupts cannot be compared: their numbers change with each boot.
  [1]
  $ pitcrew tune verify --root m --state $PWD/s --format json
  {
   "ok": false,
   "values": 7,
   "wrong": 3,
   "gone": 0,
   "incomparable": 1,
   "cut_off": 0,
   "items": [
    {
     "txn": 1,
     "knob": "net.ipv4.tcp_rmem",
     "target": "sysctl",
     "object": "net.ipv4.tcp_rmem",
     "wanted": "4096 87380 16777216",
     "found": "4096 87380 16777216",
     "state": "holds",
     "reason": null,
     "origin": null
    },
    {
     "txn": 1,
     "knob": "vm.zone_reclaim_mode",
     "target": "sysctl",
     "object": "vm.zone_reclaim_mode",
     "wanted": "1",
     "found": "3",
     "state": "other",
     "reason": null,
     "origin": null
    },
    {
     "txn": 1,
     "knob": "kernel.numa_balancing",
     "target": "sysctl",
     "object": "kernel.numa_balancing",
     "wanted": "0",
     "found": "1",
     "state": "old",
     "reason": null,
     "origin": "/etc/sysctl.d/99-zzz-site.conf:2 (1)"
    },
    {
     "txn": 1,
     "knob": "irq.affinity",
     "target": "kernel",
     "object": "/proc/irq/35/smp_affinity_list",
     "wanted": "0-1",
     "found": null,
     "state": "gone",
     "reason": null,
     "origin": null
    },
    {
     "txn": 1,
     "knob": "",
     "target": "file",
     "object": "/etc/sysctl.d/99-zz-pitcrew-0001.conf",
     "wanted": "# pitcrew\nvm.swappiness = 10\n",
     "found": "# pitcrew\nvm.swappiness = 10\n",
     "state": "holds",
     "reason": null,
     "origin": null
    },
    {
     "txn": 3,
     "knob": "vm.swappiness",
     "target": "sysctl",
     "object": "vm.swappiness",
     "wanted": "1",
     "found": "1",
     "state": "holds",
     "reason": null,
     "origin": null
    },
    {
     "txn": 3,
     "knob": "vm.gone",
     "target": "sysctl",
     "object": "vm.gone",
     "wanted": "1",
     "found": null,
     "state": "missing",
     "reason": "/proc/sys/vm/gone: No such file or directory",
     "origin": null
    }
   ]
  }
  [1]
  $ echo 0 > m/proc/sys/kernel/numa_balancing; echo 1 > m/proc/sys/vm/zone_reclaim_mode; echo 1 > m/proc/sys/vm/gone; pitcrew tune verify --root m --state $PWD/s
  All 6 values hold.
  1 of interrupts cannot be compared: their numbers change with each boot.

The log tells all.

  $ TZ=UTC pitcrew tune log --state $PWD/s
  Transaction 1, applied: apply of training, persistent
    begun 2025-11-13 02:13 by user 0 with pitcrew 0.1.0, boot
    b0070000-0000-4000-8000-000000000000
    vm.swappiness: 60 -> 10
    net.ipv4.tcp_rmem: 4096 131072 6291456 -> 4096 87380 16777216
    vm.zone_reclaim_mode: 0 -> 1
    kernel.numa_balancing: 1 -> 0
    /proc/irq/35/smp_affinity_list: 0-3 -> 0-1
    /etc/sysctl.d/99-zz-pitcrew-0001.conf: nothing -> a text of 29 bytes
        + # pitcrew
        + vm.swappiness = 10
  
  Transaction 2, reverted: apply of inference
    begun 2025-11-13 05:00 by user 0 with pitcrew 0.1.0, boot
    b0070000-0000-4000-8000-000000000001
    undone 2025-11-13 05:01 (revert)
    vm.max_map_count: 65530 -> 262144; undone: restored
  
  Transaction 3, applied: apply of site.ini
    begun 2025-11-13 07:46 by user 0 with pitcrew 0.1.0, boot
    b0070000-0000-4000-8000-000000000001
    vm.swappiness: 10 -> 1
    vm.gone: 0 -> 1
    vm.companion: 5, changed along to 6
  $ pitcrew tune log 2 --state $PWD/s --format json
  [
   {
    "txn": 2,
    "state": "reverted",
    "kind": "apply",
    "profile": "inference",
    "persist": false,
    "time": 1763010000,
    "boot": "b0070000-0000-4000-8000-000000000001",
    "uid": 0,
    "tool": "0.1.0",
    "why": "revert",
    "undo_time": 1763010060,
    "damage": null,
    "changes": [
     {
      "knob": "vm.max_map_count",
      "target": "sysctl",
      "object": "vm.max_map_count",
      "old": "65530",
      "new": "262144",
      "companion": false,
      "set": true,
      "now": "262144",
      "undone": "restored"
     }
    ]
   }
  ]
  $ pitcrew tune log 9 --state $PWD/s 2>&1 | sed "s,$PWD/,,"
  pitcrew: there is no transaction 9 in s
  $ pitcrew tune log x
  pitcrew tune log: 'x': give one number of a transaction, or none ('pitcrew tune log --help')
  [64]

Journals that cannot be used, or not in whole.

  $ install -m 600 $HOSTS/../cli/tune/000[67].journal s/tune; TZ=UTC pitcrew tune status --root m --state $PWD/s | sed "s,$PWD/,,"
  5 transactions in s, 3 in force.
  
     7  empty          ?                 its journal ends before the first write
     6  interrupted    2025-11-13 13:20  apply of training
        damaged: line 4 does not have its check sum; what stands behind it was not
        used
        1 value: 1 not there any more
        Put it right: pitcrew tune revert 6
     3  applied        2025-11-13 07:46  apply of site.ini
        2 values: 2 hold
     2  reverted       2025-11-13 05:00  apply of inference
     1  applied        2025-11-13 02:13  apply of training, persistent
        6 values: 4 hold, 1 replaced by a later transaction, 1 gone with a reboot
  $ chmod 622 s/tune/0003.journal; ln -s 0001.journal s/tune/0008.journal; echo x > s/tune/0009.journal; echo junk >> s/tune/0009.journal; chmod 600 s/tune/0009.journal
  $ pitcrew tune status --root m --state $PWD/s | sed "s,$PWD/,," | tr -s "\n " " "
  7 transactions in s, 2 in force, of 3 nobody can tell: their journal cannot be used. 9 unreadable ? its journal is of no use s/tune/0009.journal: not one record of the journal can be used: line 1 does not have its check sum; what stands behind it was not used 8 unreadable ? its journal is of no use s/tune/0008.journal is a link or no directory, so it is not used 7 empty ? its journal ends before the first write 6 interrupted 2025-11-13 13:20 apply of training damaged: line 4 does not have its check sum; what stands behind it was not used 1 value: 1 not there any more Put it right: pitcrew tune revert 6 3 unreadable ? its journal is of no use s/tune/0003.journal may be written by others (mode 0622), so it is not used 2 reverted 2025-11-13 05:00 apply of inference 1 applied 2025-11-13 02:13 apply of training, persistent 6 values: 4 hold, 1 changed since by somebody else, 1 gone with a reboot 
  $ chmod 770 s/tune; pitcrew tune status --root m --state $PWD/s 2>&1 | sed "s,$PWD/,,"
  pitcrew: s/tune may be written by others (mode 0770), so it is not used
  $ chmod 700 s/tune; mv s t; ln -s t s; pitcrew tune status --root m --state $PWD/s 2>&1 | sed "s,$PWD/,,"
  pitcrew: s is a link or no directory, so it is not used

What a revert left alone is named as long as it is there, for a file goes on counting.

  $ rm s; mkdir -m 700 s s/tune; install -m 600 $HOSTS/../cli/tune/0008.journal s/tune; echo 30 > m/proc/sys/vm/swappiness
  $ TZ=UTC pitcrew tune status --root m --state $PWD/s | sed "s,$PWD/,,"
  1 transaction in s, 0 in force.
  
     8  reverted       2025-11-13 16:06  trial, persistent
        left alone by the revert: 1 value, /etc/sysctl.d/99-zz-pitcrew-0001.conf;
        'pitcrew tune revert 8 --force' puts back what was there before
  $ pitcrew tune status --root m --state $PWD/s --format json | grep -A 9 '"kept"'
     "kept": [
      {
       "target": "sysctl",
       "object": "vm.swappiness"
      },
      {
       "target": "file",
       "object": "/etc/sysctl.d/99-zz-pitcrew-0001.conf"
      }
     ],
  $ echo 60 > m/proc/sys/vm/swappiness; rm m/etc/sysctl.d/99-zz-pitcrew-0001.conf; TZ=UTC pitcrew tune status --root m --state $PWD/s | sed "s,$PWD/,,"
  1 transaction in s, 0 in force.
  
     8  reverted       2025-11-13 16:06  trial, persistent

Revert is for root, and has nothing to do where nothing was done.

  $ pitcrew tune revert --force --merge
  pitcrew tune revert: --force overwrites what was changed since, --merge leaves it: choose one ('pitcrew tune revert --help')
  [64]
  $ pitcrew tune revert --all 3
  pitcrew tune revert: --all means every transaction, 3 one of them: choose one ('pitcrew tune revert --help')
  [64]
  $ pitcrew tune revert --root m
  pitcrew tune revert: unrecognized option '--root'
  Try `pitcrew tune revert --help' or `pitcrew tune revert --usage' for more
  information.
  [64]
  $ pitcrew tune revert three
  pitcrew tune revert: 'three': give one number of a transaction, --all, or nothing for the newest ('pitcrew tune revert --help')
  [64]
