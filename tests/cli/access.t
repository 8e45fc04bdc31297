A machine of a few lines: alice wants to read what the group research keeps.

  $ mkdir -p m/etc m/proc/self m/.pitcrew/stat m/.pitcrew/fact
  $ printf 'root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n' > m/etc/passwd
  $ printf 'root:x:0:\nresearch:x:2000:bob\n' > m/etc/group
  $ printf '27 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n28 27 8:2 / /data ro - xfs /dev/sdb1 ro\n' > m/proc/self/mountinfo
  $ echo '40755 0 0 4096 2 0 0 0' > m/.pitcrew/stat/%2F
  $ echo '40750 0 2000 4096 2 0 0 0' > m/.pitcrew/stat/%2Fdata
  $ echo '40775 0 2000 4096 2 0 0 0' > m/.pitcrew/stat/%2Fdata%2Fset
  $ ln -s /data/set m/set
  $ pitcrew explain access alice /set --root m
  alice (uid 1000, gid 1000, 0 more groups) and /set
  
    list     no
             /data: alice may not pass through it: drwxr-x--- root:research, and
             alice is neither the owner nor in group research; its ACL could not
             be read
             fix  usermod -aG research alice # then log in again
    write    no
             for the same reason
    enter    no
             for the same reason
  
  The way:
      drwxr-xr-x / (root:root), mount of ext4 (rw,relatime)
      link /set -> /data/set
    > drwxr-x--- /data (root:research), mount of xfs (ro)
      drwxrwxr-x /data/set (root:research)
  $ pitcrew explain access bob /set --root m
  pitcrew: no user bob here
  [3]
  $ pitcrew explain access alice '' --root m
  pitcrew explain access: an empty PATH ('pitcrew explain access --help')
  [64]
  $ pitcrew explain access '' /set --root m
  pitcrew explain access: an empty USER ('pitcrew explain access --help')
  [64]
  $ pitcrew explain access root /set --root m --format json
  {
   "schema": 1,
   "user": "root",
   "uid": 0,
   "path": "/set",
   "selinux_enforcing": false,
   "access": {
    "read": {
     "answer": "yes",
     "step": null,
     "reason": null,
     "fix": null
    },
    "write": {
     "answer": "no",
     "step": "/data/set",
     "reason": "/data is mounted read-only",
     "fix": "mount -o remount,rw '/data'"
    },
    "execute": {
     "answer": "yes",
     "step": null,
     "reason": null,
     "fix": null
    }
   },
   "steps": [
    {
     "path": "/",
     "mode": "drwxr-xr-x",
     "owner": "root",
     "group": "root",
     "acl": false,
     "type": "ext4"
    },
    {
     "path": "/set",
     "link": "/data/set"
    },
    {
     "path": "/data",
     "mode": "drwxr-x---",
     "owner": "root",
     "group": "research",
     "acl": false,
     "type": "xfs"
    },
    {
     "path": "/data/set",
     "mode": "drwxrwxr-x",
     "owner": "root",
     "group": "research",
     "acl": false,
     "type": "xfs"
    }
   ]
  }
  $ pitcrew explain access alice
  pitcrew explain access: name a USER and a PATH ('pitcrew explain access --help')
  [64]
  $ pitcrew explain access alice /nowhere --root m
  alice (uid 1000, gid 1000, 0 more groups) and /nowhere
  
    read     no
             /nowhere: it does not exist
    write    no
             for the same reason
    execute  no
             for the same reason
  
  The way:
      drwxr-xr-x / (root:root), mount of ext4 (rw,relatime)
    > ? /nowhere (No such file or directory)
  $ pitcrew explain access alice / / --root m
  pitcrew explain access: '/': one USER and one PATH ('pitcrew explain access --help')
  [64]
