Wrong words of the command line: one line, exit code 64.

  $ pitcrew check --only memory.swapiness
  pitcrew check: no check is named 'memory.swapiness' (near: memory.swappiness); 'pitcrew check --list' has them all ('pitcrew check --help')
  [64]
  $ pitcrew check --skip ''
  pitcrew check: an empty list of checks ('pitcrew check --help')
  [64]
  $ pitcrew check --only nothing.at.all
  pitcrew check: no check is named 'nothing.at.all'; 'pitcrew check --list' has them all ('pitcrew check --help')
  [64]
  $ pitcrew check --workload traning
  pitcrew check: --workload=traning is not known; choose one of: training, inference ('pitcrew check --help')
  [64]
  $ pitcrew check --format yaml
  pitcrew check: --format=yaml is not known; choose one of: text, json, junit, markdown ('pitcrew check --help')
  [64]
  $ pitcrew check --format markdown
  pitcrew check: --format=markdown goes with --list ('pitcrew check --help')
  [64]
  $ pitcrew check --list --format junit
  pitcrew check: --format=junit does not go with --list ('pitcrew check --help')
  [64]
  $ pitcrew check --data relative/path
  pitcrew check: --data=relative/path: give an absolute path ('pitcrew check --help')
  [64]
  $ pitcrew check --pid 0
  pitcrew check: --pid=0 is not a number from 1 to 2147483647 ('pitcrew check --help')
  [64]
  $ pitcrew check --pid 99999999999
  pitcrew check: --pid=99999999999 is not a number from 1 to 2147483647 ('pitcrew check --help')
  [64]
  $ pitcrew check --deadline never
  pitcrew check: --deadline=never is not a number from 1 to 60000 ('pitcrew check --help')
  [64]
  $ pitcrew check extra
  pitcrew check: 'extra': check takes no such word; --only=extra chooses checks ('pitcrew check --help')
  [64]

Recordings that cannot be read: exit code 3.

  $ pitcrew check --root /no/such/place
  pitcrew: cannot open the recording /no/such/place: No such file or directory
  [3]
  $ echo 'this is no archive' > x.tar; pitcrew check --root x.tar
  pitcrew: cannot read x.tar: Unrecognized archive format
  [3]
  $ : > empty.tar.gz; pitcrew check --root empty.tar.gz
  pitcrew: cannot read empty.tar.gz: Unrecognized archive format
  [3]
  $ pitcrew check --root /dev/null
  pitcrew: cannot read /dev/null: Unrecognized archive format
  [3]

A machine of one file: what is there is judged, all else is skipped with its reason.

  $ mkdir -p host/proc/sys/vm; echo 60 > host/proc/sys/vm/swappiness
  $ pitcrew check --root host --only memory.swappiness
  pitcrew 0.1.0: host (host); ? CPUs, ? NUMA nodes, ? GPUs. Judged for training.
  
  RISK: harmless until something happens
  
    warn  Swappiness: 60
        wanted  at most 10
        seen    /proc/sys/vm/swappiness: 60
        fix     Lower vm.swappiness.
        run     sysctl -w vm.swappiness='10'
                (until the next boot)
        id      memory.swappiness
  
  DO FIRST
  
    1. sysctl -w vm.swappiness='10' (memory.swappiness)
  
  0 failed, 1 warned, 0 passed, 0 skipped of 1 checks in N ms. 'pitcrew check
  --verbose' shows all, 'pitcrew explain ID' one.
  [1]
  $ pitcrew check --root host --only memory.swappiness --workload inference --format json | grep -E '"(status|impact|observed|wanted|command)"'
     "status": "warn",
     "impact": "risk",
     "observed": "60",
     "wanted": "at most 1",
      "command": "sysctl -w vm.swappiness='1'",
  $ pitcrew check --root host --only memory.swappiness --format junit
  <?xml version="1.0" encoding="UTF-8"?>
  <testsuites>
   <testsuite name="pitcrew check" tests="1" failures="1" skipped="0" time="N">
    <testcase classname="pitcrew.memory" name="memory.swappiness">
     <failure type="warn" message="Swappiness: 60">/proc/sys/vm/swappiness: 60
  Lower vm.swappiness.
  sysctl -w vm.swappiness='10'</failure>
    </testcase>
   </testsuite>
  </testsuites>
  [1]
  $ echo 10 > host/proc/sys/vm/swappiness; pitcrew check --root host --only memory.swappiness
  pitcrew 0.1.0: host (host); ? CPUs, ? NUMA nodes, ? GPUs. Judged for training.
  
  0 failed, 0 warned, 1 passed, 0 skipped of 1 checks in N ms. 'pitcrew check
  --verbose' shows all, 'pitcrew explain ID' one.
  $ echo ten > host/proc/sys/vm/swappiness; pitcrew check --root host --only memory.swappiness
  pitcrew 0.1.0: host (host); ? CPUs, ? NUMA nodes, ? GPUs. Judged for training.
  
  COULD NOT SEE
  
    ?     malformed: /proc/sys/vm/swappiness (memory.swappiness)
  
  0 failed, 0 warned, 0 passed, 1 skipped of 1 checks in N ms. 'pitcrew check
  --verbose' shows all, 'pitcrew explain ID' one.
  [3]
  $ echo 60 > host/proc/sys/vm/swappiness; tar -cf host.tar host; pitcrew check --root host.tar --only memory.swappiness
  pitcrew 0.1.0: host (host.tar); ? CPUs, ? NUMA nodes, ? GPUs. Judged for
  training.
  
  RISK: harmless until something happens
  
    warn  Swappiness: 60
        wanted  at most 10
        seen    /proc/sys/vm/swappiness: 60
        fix     Lower vm.swappiness.
        run     sysctl -w vm.swappiness='10'
                (until the next boot)
        id      memory.swappiness
  
  DO FIRST
  
    1. sysctl -w vm.swappiness='10' (memory.swappiness)
  
  0 failed, 1 warned, 0 passed, 0 skipped of 1 checks in N ms. 'pitcrew check
  --verbose' shows all, 'pitcrew explain ID' one.
  [1]

Waivers: they silence until their day, and are checked themselves.

  $ echo 'memory.swappiness 2999-12-31 batch nodes live with it' > w; pitcrew check --root host --only memory.swappiness --waive w
  pitcrew 0.1.0: host (host); ? CPUs, ? NUMA nodes, ? GPUs. Judged for training.
  
  0 failed, 0 warned, 0 passed, 0 skipped, 1 waived of 1 checks in N ms. 'pitcrew
  check --verbose' shows all, 'pitcrew explain ID' one.
  $ echo 'memory.swappiness 2020-01-01 long ago' > w; pitcrew check --root host --only memory.swappiness --waive w
  pitcrew 0.1.0: host (host); ? CPUs, ? NUMA nodes, ? GPUs. Judged for training.
  
  RISK: harmless until something happens
  
    warn  Swappiness: 60
        wanted  at most 10
        seen    /proc/sys/vm/swappiness: 60
        fix     Lower vm.swappiness.
        run     sysctl -w vm.swappiness='10'
                (until the next boot)
        id      memory.swappiness
        waived  waiver expired on 2020-01-01: long ago
  
  DO FIRST
  
    1. sysctl -w vm.swappiness='10' (memory.swappiness)
  
  0 failed, 1 warned, 0 passed, 0 skipped of 1 checks in N ms. 'pitcrew check
  --verbose' shows all, 'pitcrew explain ID' one.
  [1]
  $ echo 'memory.swappiness tomorrow x' > w; pitcrew check --root host --only memory.swappiness --waive w
  pitcrew: w: line 1: 'tomorrow' is not a day such as 2027-01-31
  [3]
  $ echo 'memory.nothing 2999-12-31 x' > w; pitcrew check --root host --only memory.swappiness --waive w
  pitcrew: w: line 1: no check is named 'memory.nothing'
  [3]
  $ pitcrew check --root host --waive /no/such/file
  pitcrew: cannot open /no/such/file: No such file or directory
  [3]

What does not exist is no clean machine.

  $ pitcrew check --data /no/such --only storage
  pitcrew: --data=/no/such: it does not exist
  [3]
  $ pitcrew check --checkpoint /no/such --only storage
  pitcrew: --checkpoint=/no/such: it does not exist
  [3]
  $ pitcrew check --pid 2147483647 --only env
  pitcrew: --pid=2147483647: there is no such process
  [3]
  $ mkdir nothing; pitcrew check --root nothing
  pitcrew: nothing holds no recorded machine: no /proc, /sys or /etc in it
  [3]
