Plans and what is said instead of one. Nothing here changes a machine.

  $ pitcrew tune
  Usage: pitcrew tune VERB [OPTION...]
  Change what `pitcrew check` found wrong, with a journal that puts everything back.
  
    plan     show what a profile would change, and why; changes nothing
    apply    change the machine in one transaction, journalled and read back
    status   what was changed, whether it holds, and what was cut off
    verify   does every value that was set still hold? Names those that do not
    log      everything that the journals say: who changed what, when, from which value
    revert   put back what a transaction changed, to the last byte
    trial    measure what a change does to a command, by running it with and without
    bisect   find which setting of a profile makes a command worse
  
  Try 'pitcrew tune plan': it only looks. 'pitcrew tune VERB --help' and 'man pitcrew-tune' tell more.
  [64]
  $ pitcrew tune pln
  pitcrew tune: 'pln' is not a verb; did you mean 'plan'?
  [64]
  $ pitcrew tune plan --profile no-such
  pitcrew: no profile is named 'no-such'; there are: base (what suits any host; the other profiles include it), gpu-host (what hosts with GPUs for jobs share; training and inference include it), inference (hosts that serve models), shared-workstation (one machine with a GPU that several people share), training (hosts that train models)
  [3]
  $ pitcrew tune plan --profile ./no-such.ini
  pitcrew: cannot read the profile ./no-such.ini: No such file or directory
  [3]
  $ pitcrew tune plan --only vm.swapiness
  pitcrew tune plan: --only: no knob is named 'vm.swapiness' (near: vm.swappiness); 'pitcrew tune plan --list' has them all ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan --skip 'gpus.*'
  pitcrew tune plan: --skip: no knob is named 'gpus.*'; 'pitcrew tune plan --list' has them all ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan --only ''
  pitcrew tune plan: --only: an empty list of knobs ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan --format yaml
  pitcrew tune plan: --format=yaml is not known; choose one of: text, json, sh, markdown ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan --format markdown
  pitcrew tune plan: --format=markdown goes with --list ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan --list --format sh
  pitcrew tune plan: --format=sh does not go with --list ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan training
  pitcrew tune plan: 'training': plan takes no such word; --profile=training chooses a profile ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune plan --state here
  pitcrew tune plan: --state=here: give an absolute path ('pitcrew tune plan --help')
  [64]
  $ mkdir empty; pitcrew tune plan --root empty
  pitcrew: empty holds no recorded machine: no /proc, /sys or /etc in it
  [3]
  $ pitcrew tune apply --root host
  pitcrew tune apply: --root=host: a recorded machine cannot be changed ('pitcrew tune apply --help')
  [64]
  $ pitcrew tune apply --root /no/such --yes --profile no-such
  pitcrew tune apply: --root=/no/such: a recorded machine cannot be changed ('pitcrew tune apply --help')
  [64]
  $ pitcrew tune apply --wait soon
  pitcrew tune apply: --wait=soon is not a number from 0 to 86400 ('pitcrew tune apply --help')
  [64]
  $ pitcrew tune apply now
  pitcrew tune apply: 'now': apply takes no such word; --profile=now chooses a profile ('pitcrew tune apply --help')
  [64]

A machine of two settings.

  $ mkdir -p host/proc/sys/vm host/etc/sysctl.d; echo 60 > host/proc/sys/vm/swappiness; echo 262144 > host/proc/sys/vm/max_map_count
  $ echo 'vm.swappiness = 60' > host/etc/sysctl.d/50-cloud.conf
  $ printf '[profile]\nsummary = two things\n[vm.swappiness]\nvalue = 10\nwhy = Because.\nsource = us\n[vm.max_map_count]\nvalue = >=65530\n[net.core.busy_poll]\nvalue = 50\n[limits.nofile]\nvalue = 1048576\n' > p.ini
  $ pitcrew tune plan --root host --profile ./p.ini
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host), until the next boot.
  
  WOULD CHANGE
  
    vm.swappiness: 60 -> 10
        set by  /etc/sysctl.d/50-cloud.conf:1 (60)
        seen    memory.swappiness: 60, wanted at most 10
        why     Because. (us)
        felt by all processes of this host when memory is short
  
  LEFT OUT
  
    this machine has nothing of it: net.core.busy_poll
  
  1 value and 0 files to change, 2 right already, 1 left out. To do it: pitcrew
  tune plan --format sh --root host --profile ./p.ini > FILE, and run FILE there
  [1]
  $ pitcrew tune plan --root host --profile ./p.ini --persist --verbose
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host), to last over
  reboots.
  
  WOULD CHANGE
  
    vm.swappiness: 60 -> 10
        set by  /etc/sysctl.d/50-cloud.conf:1 (60)
        seen    memory.swappiness: 60, wanted at most 10
        why     Because. (us)
        felt by all processes of this host when memory is short
  
  WOULD WRITE, so that it lasts over a reboot
  
    /etc/sysctl.d/99-zz-pitcrew-0000.conf: new
        vm.swappiness = 10
        vm.max_map_count = 262144
  
  LEFT OUT
  
    net.core.busy_poll: not here: this kernel has no net.core.busy_poll
  
  1 value and 1 file to change, 2 right already, 1 left out. To do it: pitcrew
  tune plan --format sh --root host --profile ./p.ini --persist > FILE, and run
  FILE there
  [1]
  $ pitcrew tune plan --root host --profile ./p.ini --only vm.max_map_count
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host), until the next boot.
  
  Nothing to change, 1 right already, 0 left out.
  $ pitcrew tune plan --root host --profile ./p.ini --only thp.enabled
  pitcrew: profile ./p.ini sets none of the knobs that --only and --skip leave
  [3]
  $ pitcrew tune plan --root host --profile ./p.ini --only vm.swappiness --format json | grep -v '"file"\|"where"' | sed "s,$PWD/,,"
  {
   "schema": 1,
   "pitcrew": "0.1.0",
   "profile": {
    "name": "./p.ini",
    "summary": "two things",
    "local_files": [
     "p.ini"
    ]
   },
   "persist": false,
   "transaction": null,
   "summary": {
    "values": 1,
    "files": 0,
    "companions": 0,
    "right": 0,
    "left_out": 0
   },
   "changes": [
    {
     "knob": "vm.swappiness",
     "which": null,
     "target": "sysctl",
     "object": "vm.swappiness",
     "old": "60",
     "new": "10",
     "companion": false,
     "origin": "/etc/sysctl.d/50-cloud.conf:1 (60)",
     "evidence": "memory.swappiness: 60, wanted at most 10",
     "why": "Because.",
     "source": "us",
     "blast": "all processes of this host when memory is short",
     "takes": "now"
    }
   ],
   "left_out": [],
   "conflicts": [],
   "notes": [],
   "needs_reboot": false,
   "restarts": []
  }
  $ pitcrew tune plan --root host --profile ./p.ini --only vm.swappiness --persist --format sh
  #!/bin/sh
  # Made by pitcrew tune plan --format sh. As root: "sh THIS" applies it, "sh THIS undo" takes it back.
  # Nothing is journalled; "pitcrew tune apply" does the same and keeps the old values itself.
  set -eu
  
  apply() {
  :
  # vm.swappiness, 60 -> 10: Because.
  # the old value is set by /etc/sysctl.d/50-cloud.conf:1 (60)
  sysctl -w vm.swappiness=10
  # /etc/sysctl.d/99-zz-pitcrew-0000.conf
  cat > /etc/sysctl.d/99-zz-pitcrew-0000.conf << 'PITCREW_END'
  # Made by pitcrew tune, profile ./p.ini (--format sh). Undo: sh THAT_SCRIPT undo
  # vm.swappiness: Because.
  vm.swappiness = 10
  PITCREW_END
  }
  
  # The old values, the last change first. What fails does not keep the rest from being put back.
  undo() {
  set +e
  rm -f /etc/sysctl.d/99-zz-pitcrew-0000.conf
  sysctl -w vm.swappiness=60
  }
  
  case ${1-apply} in
  apply) apply ;;
  undo) undo ;;
  *)
  	echo "usage: sh THIS [undo]" >&2
  	exit 64
  	;;
  esac
  [1]
  $ pitcrew tune plan --root host --profile ./p.ini --persist --format sh | sh -n
  $ pitcrew tune plan --root host --profile ./p.ini --color always --only vm.swappiness | head -4 | cat -v
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host), until the next boot.
  
  ^[[1mWOULD CHANGE
  

A profile that others can write is shown with a warning.

  $ cp p.ini q.ini; chmod 666 q.ini; pitcrew tune plan --root host --profile ./q.ini --only vm.swappiness | grep -A3 NOTES | tr -s '\n ' ' ' | sed "s,$PWD/,,"
  NOTES - profile ./q.ini is not to be trusted, and apply refuses it: q.ini can be written by everybody 
  $ printf '[profile]\ninclude = ./p.ini\n' > r.ini; pitcrew tune plan --root host --profile ./r.ini --only vm.swappiness | head -3 | tr -s '\n ' ' ' | sed "s,$PWD/,,"
  pitcrew 0.1.0: profile ./r.ini (two things) with p.ini on host (host), until the next boot. 

COLUMNS tells how wide a page is where there is no terminal.

  $ COLUMNS=120 pitcrew tune plan --root host --profile ./p.ini --persist --only thp.enabled,vm.swappiness | head -1
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host), to last over reboots.
  $ COLUMNS=60 pitcrew tune plan --root host --profile ./p.ini --persist --only vm.swappiness | head -1
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host),

Of a knob of which something is right here, it is told which section finds nothing.

  $ mkdir -p two/proc two/sys/block/vda/queue; echo '[none] mq-deadline' > two/sys/block/vda/queue/scheduler
  $ printf '[block.scheduler vd*]\nvalue = none\n[block.scheduler nvme*]\nvalue = none\n' > b.ini
  $ pitcrew tune plan --root two --profile ./b.ini | grep nothing
    this machine has nothing of it: block.scheduler nvme*
  $ printf '[block.scheduler nvme*]\nvalue = none\n' > c.ini; pitcrew tune plan --root two --profile ./c.ini | grep nothing
    this machine has nothing of it: block.scheduler

Too few rounds are refused before anything runs.

  $ pitcrew tune bisect --rounds 3 -- false
  pitcrew tune bisect: --rounds=3: 95 % confidence needs at least 6 ('pitcrew tune bisect --help')
  [64]

Once it is so, there is nothing to do.

  $ echo 10 > host/proc/sys/vm/swappiness; pitcrew tune plan --root host --profile ./p.ini --only vm.swappiness
  pitcrew 0.1.0: profile ./p.ini (two things) on host (host), until the next boot.
  
  Nothing to change, 1 right already, 0 left out.
  $ pitcrew tune plan --root host --profile ./p.ini --only vm.swappiness --format sh | grep -v '^#'
  set -eu
  
  apply() {
  :
  }
  
  undo() {
  set +e
  }
  
  case ${1-apply} in
  apply) apply ;;
  undo) undo ;;
  *)
  	echo "usage: sh THIS [undo]" >&2
  	exit 64
  	;;
  esac

Profiles that are wrong: the line, and what would be right.

  $ printf '[vm.swappiness]\nvalue = ten\n' > bad.ini; pitcrew tune plan --root host --profile ./bad.ini 2>&1 | sed "s#$PWD/##"
  pitcrew: bad.ini:1: vm.swappiness: 'ten' is not a number
  $ printf '[vm.swapiness]\nvalue = 10\n' > bad.ini; pitcrew tune plan --root host --profile ./bad.ini 2>&1 | sed "s#$PWD/##"
  pitcrew: bad.ini:1: no knob is named 'vm.swapiness' (near: vm.swappiness); 'pitcrew tune plan --list' has them all
  $ printf '[profile]\ninclude = ./bad.ini\n' > bad.ini; pitcrew tune plan --root host --profile ./bad.ini 2>&1 | sed "s#$PWD/##g"
  pitcrew: bad.ini includes ./bad.ini: bad.ini includes itself
  $ printf '[profile]\ninclude = nowhere\n' > bad.ini; pitcrew tune plan --root host --profile ./bad.ini 2>&1 | sed "s#$PWD/##g"
  pitcrew: bad.ini includes nowhere: no profile is named 'nowhere'; there are: base (what suits any host; the other profiles include it), gpu-host (what hosts with GPUs for jobs share; training and inference include it), inference (hosts that serve models), shared-workstation (one machine with a GPU that several people share), training (hosts that train models)

Words that can mean nothing are told before anything is looked at, and before root is asked for.

  $ pitcrew tune plan --runtime --persist
  pitcrew tune plan: --persist writes files, --runtime none: choose one ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune apply --persist --runtime
  pitcrew tune apply: --persist writes files, --runtime none: choose one ('pitcrew tune apply --help')
  [64]
  $ pitcrew tune plan --profile=
  pitcrew tune plan: --profile= has no name; 'pitcrew tune plan --list' has them all ('pitcrew tune plan --help')
  [64]
  $ pitcrew tune trial --knob nosuch -- true
  pitcrew tune trial: --knob=nosuch: no knob is named 'nosuch'; 'pitcrew tune plan --list' has them all ('pitcrew tune trial --help')
  [64]
  $ pitcrew tune trial --knob vm.swappiness=abc -- true
  pitcrew tune trial: --knob=vm.swappiness=abc: vm.swappiness: 'abc' is not a number ('pitcrew tune trial --help')
  [64]
  $ pitcrew tune trial --knob =3 -- true
  pitcrew tune trial: --knob==3: no knob is named ''; 'pitcrew tune plan --list' has them all ('pitcrew tune trial --help')
  [64]
  $ pitcrew tune trial --knob vm.swappiness: -- true
  pitcrew tune trial: --knob=vm.swappiness:: nothing stands behind the ':' ('pitcrew tune trial --help')
  [64]
  $ pitcrew tune trial --knob vm.swappiness=1 --knob vm.swappiness=2 -- true
  pitcrew tune trial: --knob=vm.swappiness=2: it has another value already, 1: choose one ('pitcrew tune trial --help')
  [64]
  $ pitcrew tune trial --knob vm.swappiness=1 --metric '(' --better lower -- true
  pitcrew tune trial: --metric=( is no regular expression: Unmatched ( or \( ('pitcrew tune trial --help')
  [64]
  $ pitcrew tune bisect --metric '' -- true
  pitcrew tune bisect: --metric= is empty; give wall, or a regular expression ('pitcrew tune bisect --help')
  [64]
  $ pitcrew tune bisect --profile /no/such.ini -- true
  pitcrew: cannot read the profile /no/such.ini: No such file or directory
  [3]
