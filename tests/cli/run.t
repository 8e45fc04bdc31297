What `pitcrew run` says before anything runs, and of jobs that need no more than a shell. tests/unit/test_supervise and others
have the rest.

Wrong words: one line each.

  $ pitcrew run
  pitcrew run: give the command to run, after '--' ('pitcrew run --help')
  [64]
  $ pitcrew run --rnaks 2 true
  pitcrew run: unrecognized option '--rnaks'
  Try `pitcrew run --help' or `pitcrew run --usage' for more information.
  [64]
  $ pitcrew run --ranks 0 true
  pitcrew run: --ranks=0 is not a number from 1 to 4096 ('pitcrew run --help')
  [64]
  $ pitcrew run --ranks many true
  pitcrew run: --ranks=many is not a number from 1 to 4096 ('pitcrew run --help')
  [64]
  $ pitcrew run --rank-from 'LOCAL RANK=1' true
  pitcrew run: --rank-from=LOCAL RANK=1: give the name of a variable, such as LOCAL_RANK ('pitcrew run --help')
  [64]
  $ pitcrew run --gpus 0,x true
  pitcrew run: --gpus=0,x: 'x' is no GPU: give positions (0-3,6), UUIDs, PCI addresses or none ('pitcrew run --help')
  [64]
  $ pitcrew run --bind numa true
  pitcrew run: --bind=numa is not known; choose one of: auto, node, exclusive, l3, socket, none ('pitcrew run --help')
  [64]
  $ pitcrew run --mem strict true
  pitcrew run: --mem=strict is not known; choose one of: auto, prefer, bind, interleave, local, none ('pitcrew run --help')
  [64]
  $ pitcrew run --smt 2 true
  pitcrew run: --smt=2 is not known; choose one of: all, 1 ('pitcrew run --help')
  [64]
  $ pitcrew run --spill far true
  pitcrew run: --spill=far is not known; choose one of: nearest, none ('pitcrew run --help')
  [64]
  $ pitcrew run --cpus-reserve -1 true
  pitcrew run: --cpus-reserve=-1 is not a number from 0 to 65536 ('pitcrew run --help')
  [64]
  $ pitcrew run --gpu-view some true
  pitcrew run: --gpu-view=some is not known; choose one of: auto, all, own ('pitcrew run --help')
  [64]
  $ pitcrew run --mem-max lots true
  pitcrew run: --mem-max=lots is not a size; write bytes, or 512M, 64G ('pitcrew run --help')
  [64]
  $ pitcrew run --mem-max 0 true
  pitcrew run: --mem-max=0 is not a size; write bytes, or 512M, 64G ('pitcrew run --help')
  [64]
  $ pitcrew run --mem-high 2G --mem-max 1G true
  pitcrew run: --mem-high is above --mem-max: nothing would be slowed before it is killed ('pitcrew run --help')
  [64]
  $ pitcrew run --cpu-max 0 true
  pitcrew run: --cpu-max=0 is not a number of CPUs; write 3.5 or 350% ('pitcrew run --help')
  [64]
  $ pitcrew run --cpu-max 50 --cpu-max 5%% true
  pitcrew run: --cpu-max=5%% is not a number of CPUs; write 3.5 or 350% ('pitcrew run --help')
  [64]
  $ pitcrew run --io sda true
  pitcrew run: --io=sda: write 'DEVICE KEY=VALUE...' with rbps, wbps, riops, wiops, as in '/dev/nvme0n1 wbps=500M', or a priority: idle, best-effort:0 to best-effort:7 ('pitcrew run --help')
  [64]
  $ pitcrew run --io '8:0 speed=1' true
  pitcrew run: --io=8:0 speed=1: write 'DEVICE KEY=VALUE...' with rbps, wbps, riops, wiops, as in '/dev/nvme0n1 wbps=500M', or a priority: idle, best-effort:0 to best-effort:7 ('pitcrew run --help')
  [64]
  $ pitcrew run --io '8: rbps=1' true
  pitcrew run: --io=8: rbps=1: write 'DEVICE KEY=VALUE...' with rbps, wbps, riops, wiops, as in '/dev/nvme0n1 wbps=500M', or a priority: idle, best-effort:0 to best-effort:7 ('pitcrew run --help')
  [64]
  $ pitcrew run --io realtime true
  pitcrew run: --io=realtime: write 'DEVICE KEY=VALUE...' with rbps, wbps, riops, wiops, as in '/dev/nvme0n1 wbps=500M', or a priority: idle, best-effort:0 to best-effort:7 ('pitcrew run --help')
  [64]
  $ pitcrew run --memlock some true
  pitcrew run: --memlock=some is not a size; write bytes, or 512M, 64G ('pitcrew run --help')
  [64]
  $ pitcrew run --sched fifo true
  pitcrew run: --sched=fifo is not known; choose one of: other, batch, fifo:P, rr:P (P from 1 to 99) ('pitcrew run --help')
  [64]
  $ pitcrew run --sched fifo:0 true
  pitcrew run: --sched=fifo:0: the priority goes from 1 to 99 ('pitcrew run --help')
  [64]
  $ pitcrew run --sched batch:3 true
  pitcrew run: --sched=batch:3 is not known; choose one of: other, batch, fifo:P, rr:P (P from 1 to 99) ('pitcrew run --help')
  [64]
  $ pitcrew run --sched deadline true
  pitcrew run: --sched=deadline is not known; choose one of: other, batch, fifo:P, rr:P (P from 1 to 99) ('pitcrew run --help')
  [64]
  $ pitcrew run --nice 20 true
  pitcrew run: --nice=20 is not a number from -20 to 19 ('pitcrew run --help')
  [64]
  $ pitcrew run --oom-score -1001 true
  pitcrew run: --oom-score=-1001 is not a number from -1000 to 1000 ('pitcrew run --help')
  [64]
  $ pitcrew run --allocator mimalloc true
  pitcrew run: --allocator=mimalloc is not known; choose one of: jemalloc, tcmalloc, system ('pitcrew run --help')
  [64]
  $ pitcrew run --mps 101 true
  pitcrew run: --mps=101 is not a number from 1 to 100 ('pitcrew run --help')
  [64]
  $ pitcrew run --env 1A=2 true
  pitcrew run: --env=1A=2: write NAME=VALUE to set, NAME to pass on untouched, -NAME to remove ('pitcrew run --help')
  [64]
  $ pitcrew run --env -A=2 true
  pitcrew run: --env=-A=2: write NAME=VALUE to set, NAME to pass on untouched, -NAME to remove ('pitcrew run --help')
  [64]
  $ pitcrew run --stop-signal NO true
  pitcrew run: --stop-signal=NO is not a signal; write TERM, USR1, RTMIN+1 ('kill -l' lists them) ('pitcrew run --help')
  [64]
  $ pitcrew run --stop-signal KILL true
  pitcrew run: --stop-signal=KILL: no program can catch that signal; choose another ('pitcrew run --help')
  [64]
  $ pitcrew run --grace soon true
  pitcrew run: --grace=soon is not a time of at most a week; write 500ms, 10s, 2min ('pitcrew run --help')
  [64]
  $ pitcrew run --grace 8d true
  pitcrew run: --grace=8d is not a time of at most a week; write 500ms, 10s, 2min ('pitcrew run --help')
  [64]
  $ pitcrew run --checkpoint-signal STOP true
  pitcrew run: --checkpoint-signal=STOP: no program can catch that signal; choose another ('pitcrew run --help')
  [64]
  $ pitcrew run --checkpoint-grace 1min true
  pitcrew run: --checkpoint-grace goes with --checkpoint-signal=SIGNAL ('pitcrew run --help')
  [64]
  $ pitcrew run --on-pressure checkpoint true
  pitcrew run: --on-pressure=checkpoint: say with which --checkpoint-signal=SIGNAL ('pitcrew run --help')
  [64]
  $ pitcrew run --on-pressure panic true
  pitcrew run: --on-pressure=panic is not known; choose one of: warn, checkpoint, none ('pitcrew run --help')
  [64]
  $ pitcrew run --pressure-horizon x true
  pitcrew run: --pressure-horizon=x is not a time of at most a week; write 500ms, 10s, 2min ('pitcrew run --help')
  [64]
  $ pitcrew run --restart x true
  pitcrew run: --restart=x is not a number from 0 to 1000000 ('pitcrew run --help')
  [64]
  $ pitcrew run --restart 1 --rank-from LOCAL_RANK true
  pitcrew run: --restart with --rank-from: the launcher that started this rank must restart all ('pitcrew run --help')
  [64]
  $ pitcrew run --after later true
  pitcrew run: --after=later is not a time of at most a week; write 500ms, 10s, 2min ('pitcrew run --help')
  [64]
  $ pitcrew run --explain --dry-run true
  pitcrew run: --explain runs the job, --dry-run and --emit do not: choose one of them ('pitcrew run --help')
  [64]
  $ pitcrew run --emit podman true
  pitcrew run: --emit=podman is not known; choose one of: numactl, torchrun, slurm, systemd, docker ('pitcrew run --help')
  [64]
  $ pitcrew run --emit numactl --dry-run true
  pitcrew run: --dry-run prints the plan, --emit the job for another engine: choose one of them ('pitcrew run --help')
  [64]
  $ pitcrew run --emit numactl --explain true
  pitcrew run: --explain runs the job, --dry-run and --emit do not: choose one of them ('pitcrew run --help')
  [64]
  $ pitcrew run --emit numactl
  pitcrew run: give the command to run, after '--' ('pitcrew run --help')
  [64]
  $ pitcrew run --format json true
  pitcrew run: --format=json goes with --dry-run ('pitcrew run --help')
  [64]
  $ pitcrew run --format yaml true
  pitcrew run: --format=yaml is not known; choose one of: text, json ('pitcrew run --help')
  [64]
  $ pitcrew run --root d true
  pitcrew run: --root=d: a job cannot run on a recorded machine; add --dry-run or --emit ('pitcrew run --help')
  [64]
  $ pitcrew run --color blue true
  pitcrew run: --color=blue is not known; choose one of: auto, always, never ('pitcrew run --help')
  [64]

What cannot be planned is not our caller's wrong use of the command line.

  $ pitcrew run --dry-run --root /no/such true
  pitcrew: cannot open the recording /no/such: No such file or directory
  [125]
  $ mkdir empty; pitcrew run --dry-run --root empty true
  pitcrew: empty holds no recorded machine: no /proc, /sys or /etc in it
  [125]
  $ env -u LOCAL_RANK pitcrew run --rank-from LOCAL_RANK true
  pitcrew: --rank-from LOCAL_RANK: the variable is not set here; name the one in which the launcher gives each process its number on this host (torchrun: LOCAL_RANK, srun: SLURM_LOCALID, mpirun: OMPI_COMM_WORLD_LOCAL_RANK or MPI_LOCALRANKID)
  [125]
  $ LOCAL_RANK=x pitcrew run --rank-from LOCAL_RANK true
  pitcrew: --rank-from: LOCAL_RANK='x' is no rank
  [125]
  $ LOCAL_RANK=4 pitcrew run --rank-from LOCAL_RANK --ranks 4 true
  pitcrew: --rank-from: LOCAL_RANK=4 is not below --ranks (4 ranks on this host)
  [125]
  $ LOCAL_RANK=0 LOCAL_WORLD_SIZE=2 pitcrew run --rank-from LOCAL_RANK --mps 50 true
  pitcrew: --mps with --rank-from: each rank would start a daemon of its own, and share with nobody; start one for the host and set CUDA_MPS_PIPE_DIRECTORY
  [125]

A machine of two nodes with four GPUs. With one rank for each, the whole plan:

  $ $HOSTS/gpu-host d
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --per-gpu 1 -- python3 train.py
  command  python3 train.py
           this machine is a recording: commands are not looked for
  job      4 ranks, CPUs exclusive, memory prefer, each rank sees all GPUs of the
           job
  allowed  CPUs 0-31 by affinity
  gpus     4, by NVML
  
  node 0   dram memory, CPUs 0-7,16-23
    cores  00001111
    rank 0  CPUs 0-3,16-19      4 cores  gpu 0  mlx5_0
    rank 1  CPUs 4-7,20-23      4 cores  gpu 1  mlx5_0
    gpu 0  0000:18:00.0  NVIDIA H100 80GB HBM3           rank 0
    gpu 1  0000:2a:00.0  NVIDIA H100 80GB HBM3           rank 1
    ib     0000:1a:00.0  mlx5_0                          ranks 0-1
  
  node 1   dram memory, CPUs 8-15,24-31
    cores  22223333
    rank 2  CPUs 8-11,24-27     4 cores  gpu 2  mlx5_1
    rank 3  CPUs 12-15,28-31    4 cores  gpu 3  mlx5_1
    gpu 2  0000:9a:00.0  NVIDIA H100 80GB HBM3           rank 2
    gpu 3  0000:ab:00.0  NVIDIA H100 80GB HBM3           rank 3
    ib     0000:9c:00.0  mlx5_1                          ranks 2-3
  
  cores    a sign for each core: its rank
  
  RANKS
  
    rank 0
        cpus    0-3,16-19: 4 cores; for 4 threads
        memory  node 0 first, others when it is full
        gpu     0: NVIDIA H100 80GB HBM3 at 0000:18:00.0, node 0 by its numa_node,
                GPU-00000000-d72c-4106-c12f-20bd9faed9f6
        nic     mlx5_0
        sets    RANK=0 LOCAL_RANK=0
        why     GPU 0000:18:00.0 is on node 0 (sysfs)
                node 0 has 8 cores for 2 ranks: 4 each, siblings together
                memory of node 0 first, others when it is full
                network card mlx5_0: below the same PCI bridge (2 shared)
  
    rank 1
        cpus    4-7,20-23: 4 cores; for 4 threads
        memory  node 0 first, others when it is full
        gpu     1: NVIDIA H100 80GB HBM3 at 0000:2a:00.0, node 0 by its numa_node,
                GPU-11111111-d72c-4106-c12f-20bd9faed9f6
        nic     mlx5_0
        sets    RANK=1 LOCAL_RANK=1
        why     GPU 0000:2a:00.0 is on node 0 (sysfs)
                node 0 has 8 cores for 2 ranks: 4 each, siblings together
                memory of node 0 first, others when it is full
                network card mlx5_0: below the same PCI bridge (2 shared)
  
    rank 2
        cpus    8-11,24-27: 4 cores; for 4 threads
        memory  node 1 first, others when it is full
        gpu     2: NVIDIA H100 80GB HBM3 at 0000:9a:00.0, node 1 by its numa_node,
                GPU-22222222-d72c-4106-c12f-20bd9faed9f6
        nic     mlx5_1
        sets    RANK=2 LOCAL_RANK=2
        why     GPU 0000:9a:00.0 is on node 1 (sysfs)
                node 1 has 8 cores for 2 ranks: 4 each, siblings together
                memory of node 1 first, others when it is full
                network card mlx5_1: below the same PCI bridge (2 shared)
  
    rank 3
        cpus    12-15,28-31: 4 cores; for 4 threads
        memory  node 1 first, others when it is full
        gpu     3: NVIDIA H100 80GB HBM3 at 0000:ab:00.0, node 1 by its numa_node,
                GPU-33333333-d72c-4106-c12f-20bd9faed9f6
        nic     mlx5_1
        sets    RANK=3 LOCAL_RANK=3
        why     GPU 0000:ab:00.0 is on node 1 (sysfs)
                node 1 has 8 cores for 2 ranks: 4 each, siblings together
                memory of node 1 first, others when it is full
                network card mlx5_1: below the same PCI bridge (2 shared)
  
  ENVIRONMENT
  
    RANK, of each rank its own
        number of this rank
    LOCAL_RANK, of each rank its own
        number of this rank on this host
    WORLD_SIZE=4
        ranks of the job
    LOCAL_WORLD_SIZE=4
        ranks on this host
    GROUP_RANK=0
        number of this host: the only one
    TORCHELASTIC_RESTART_COUNT=0
        earlier starts of this job
    TORCHELASTIC_RUN_ID=pitcrew
        frameworks then take RANK and LOCAL_RANK, not the numbers of a batch
        system around us
    MASTER_ADDR=127.0.0.1
        all ranks are on this host
    MASTER_PORT=29500
        a free port
    CUDA_VISIBLE_DEVICES=GPU-00000000-d72c-4106-c12f-20bd9faed9f6,
        GPU-11111111-d72c-4106-c12f-20bd9faed9f6,
        GPU-22222222-d72c-4106-c12f-20bd9faed9f6,
        GPU-33333333-d72c-4106-c12f-20bd9faed9f6
        rank 0: all GPUs of the job in its order, number 0 is this rank's
    OMP_NUM_THREADS=4
        its 4 cores
    PYTHONUNBUFFERED=1
        output goes through a pipe, and a crash must not lose its last lines
  
  LIMITS AND END
  
    when a rank fails, or on a signal: SIGTERM (or the signal that asked) to all
    of them, and SIGKILL after 10 s
    when memory will run out within 10 s: a warning

Several ranks on each; some of the GPUs, in another order; one rank that sees all; cores of nobody.

  $ env -i PATH=$PATH pitcrew run --root d --dry-run --per-gpu 2 --smt 1 | grep -E '^(job|  cores|  rank|      sets|cores)'
  job      8 ranks, CPUs exclusive, memory prefer, each rank sees its own GPUs
    cores  00112233
    rank 0  CPUs 0-1      2 cores  gpu 0  mlx5_0
    rank 1  CPUs 2-3      2 cores  gpu 0  mlx5_0
    rank 2  CPUs 4-5      2 cores  gpu 1  mlx5_0
    rank 3  CPUs 6-7      2 cores  gpu 1  mlx5_0
    cores  44556677
    rank 4  CPUs 8-9      2 cores  gpu 2  mlx5_1
    rank 5  CPUs 10-11    2 cores  gpu 2  mlx5_1
    rank 6  CPUs 12-13    2 cores  gpu 3  mlx5_1
    rank 7  CPUs 14-15    2 cores  gpu 3  mlx5_1
  cores    a sign for each core: its rank
    rank 0
        sets    RANK=0 LOCAL_RANK=0
    rank 1
        sets    RANK=1 LOCAL_RANK=1
    rank 2
        sets    RANK=2 LOCAL_RANK=2
    rank 3
        sets    RANK=3 LOCAL_RANK=3
    rank 4
        sets    RANK=4 LOCAL_RANK=4
    rank 5
        sets    RANK=5 LOCAL_RANK=5
    rank 6
        sets    RANK=6 LOCAL_RANK=6
    rank 7
        sets    RANK=7 LOCAL_RANK=7
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --ranks 2 --gpus 3,1 | grep -E '^(job|gpus|  rank|  gpu|      gpu)'
  job      2 ranks, CPUs exclusive, memory prefer, each rank sees all GPUs of the
  gpus     2, by --gpus 3,1 (GPUs by NVML)
    rank 1  CPUs 0-7,16-23     8 cores  gpu 1  mlx5_0
    gpu 1  0000:2a:00.0  NVIDIA H100 80GB HBM3           rank 1
    rank 0  CPUs 8-15,24-31    8 cores  gpu 0  mlx5_1
    gpu 0  0000:ab:00.0  NVIDIA H100 80GB HBM3           rank 0
    rank 0
        gpu     0: NVIDIA H100 80GB HBM3 at 0000:ab:00.0, node 1 by its numa_node,
    rank 1
        gpu     1: NVIDIA H100 80GB HBM3 at 0000:2a:00.0, node 0 by its numa_node,
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --ranks 1 --gpus 0 --bind exclusive --spill none | sed -n '/^node/,/^RANK/p'
  node 0   dram memory, CPUs 0-7,16-23
    cores  00000000
    rank 0  CPUs 0-7,16-23    8 cores  gpu 0  mlx5_0
    gpu 0  0000:18:00.0  NVIDIA H100 80GB HBM3           rank 0
    ib     0000:1a:00.0  mlx5_0                          rank 0
  
  node 1   dram memory, CPUs 8-15,24-31
    cores  ........
    ib     0000:9c:00.0  mlx5_1
  
  cores    a sign for each core: its rank, . nobody's
  idle     8-15,24-31
           CPUs 8-15,24-31: no rank is at home on node 1 (--spill none)
  
  RANK
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --ranks 2 --gpus 7
  pitcrew: --gpus names GPU 7, and there are only GPUs 0 to 3
  [125]
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --per-gpu 1 --gpus none
  pitcrew: --per-gpu 1: this job sees no GPU (--gpus none (GPUs by NVML)); use --ranks N
  [125]
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --ranks 3 --per-gpu 1
  pitcrew: --ranks 3 and --per-gpu 1 (4 ranks on 4 GPUs) disagree; give one of them
  [125]
  $ env -i PATH=$PATH pitcrew run --root d --dry-run --ranks 2 --cpus-reserve 40
  pitcrew: --cpus-reserve 40: of 32 allowed CPUs (16 cores) none would be left for ranks
  [125]

Each rank by itself comes to the same; GPUs of its own are kept.

  $ for r in 0 1 2 3; do LOCAL_RANK=$r LOCAL_WORLD_SIZE=4 pitcrew run --root d --dry-run --rank-from LOCAL_RANK | sed -n '/^node/,/^cores/p' >plan.$r; cmp plan.0 plan.$r; done
  $ env -i PATH=$PATH MPI_LOCALRANKID=1 MPI_LOCALNRANKS=2 PMI_RANK=1 PMI_SIZE=4 pitcrew run --root d --dry-run --rank-from MPI_LOCALRANKID | grep -A2 MASTER
    - MASTER_ADDR and MASTER_PORT not set: the launcher's variables tell nothing
      to make it of, and torch.distributed needs it, the same for all ranks
  $ env -i PATH=$PATH SLURM_LOCALID=1 SLURM_TASKS_PER_NODE=2 SLURM_NTASKS=2 SLURM_PROCID=1 pitcrew run --root d --dry-run --rank-from SLURM_LOCALID | grep -A2 MASTER
    MASTER_ADDR=127.0.0.1
        host of rank 0
    CUDA_VISIBLE_DEVICES=GPU-00000000-d72c-4106-c12f-20bd9faed9f6,
  --
    - MASTER_PORT not set: the launcher's variables tell nothing to make it of,
      and torch.distributed needs it, the same for all ranks
  $ env -i PATH=$PATH SLURM_LOCALID=1 SLURM_TASKS_PER_NODE=2 SLURM_NTASKS=2 SLURM_PROCID=1 SLURM_JOB_ID=7 pitcrew run --root d --dry-run --rank-from SLURM_LOCALID | grep -A1 MASTER
    MASTER_ADDR=127.0.0.1
        host of rank 0
    MASTER_PORT=20427
        made of the job's number, the same for all ranks
  $ for r in 0 1; do env -i PATH=$PATH LOCAL_RANK=$r pitcrew run --rank-from LOCAL_RANK true; done
  pitcrew: --rank-from: LOCAL_RANK=0, and no variable says how many ranks there are on this host; give --ranks N (--ranks 1 when this is the only one)
  pitcrew: --rank-from: LOCAL_RANK=1, and no variable says how many ranks there are on this host; give --ranks N (--ranks 1 when this is the only one)
  [125]
  $ for r in 0 1; do env -i PATH=$PATH LOCAL_RANK=$r LOCAL_WORLD_SIZE=abc pitcrew run --rank-from LOCAL_RANK true; done
  pitcrew: --rank-from: LOCAL_WORLD_SIZE='abc' does not say how many ranks there are on this host; correct it, or give --ranks N
  pitcrew: --rank-from: LOCAL_WORLD_SIZE='abc' does not say how many ranks there are on this host; correct it, or give --ranks N
  [125]
  $ env -i PATH=$PATH RANK=3 MASTER_ADDR=n1 MASTER_PORT=29400 pitcrew run --root d --dry-run --ranks 1 | grep -A3 MASTER
    MASTER_PORT=29500
        RANK or LOCAL_RANK was set, so the old value is of the job around this
        one; in place of '29400', which was set
    MASTER_ADDR=127.0.0.1
        RANK or LOCAL_RANK was set, so the old value is of the job around this
        one; in place of 'n1', which was set
    TORCHELASTIC_RUN_ID=pitcrew
  $ env -i PATH=$PATH CUDA_VISIBLE_DEVICES=7 pitcrew run --root d --dry-run --gpus none | grep -A2 CUDA
    CUDA_VISIBLE_DEVICES=
        --gpus none; in place of '7', which was set
    OMP_NUM_THREADS=16
  $ env -i PATH=$PATH CUDA_VISIBLE_DEVICES=7 pitcrew run --root d --dry-run
  pitcrew: CUDA_VISIBLE_DEVICES names GPU 7, and there are only GPUs 0 to 3
  [125]
  $ env -i PATH=$PATH SLURM_LOCALID=2 SLURM_GPUS_PER_TASK=1 CUDA_VISIBLE_DEVICES=GPU-2222 pitcrew run --root d --dry-run --rank-from SLURM_LOCALID --ranks 4
  job      rank 2 of 4 on this host, by SLURM_LOCALID (slurm), CPUs node, memory
           prefer, it sees the GPUs that its launcher gave it
  allowed  CPUs 0-31 by affinity
  gpus     1, by CUDA_VISIBLE_DEVICES=GPU-2222 (GPUs by NVML)
  
  node 0   dram memory, CPUs 0-7,16-23
    cores  ........
    ib     0000:1a:00.0  mlx5_0
  
  node 1   dram memory, CPUs 8-15,24-31
    cores  22222222
    rank 2  CPUs 8-15,24-31    8 cores, shared  gpu 0  mlx5_1
    gpu 0  0000:9a:00.0  NVIDIA H100 80GB HBM3           rank 2
    ib     0000:9c:00.0  mlx5_1                          rank 2
  
  cores    a sign for each core: its rank, . not its own
  
  RANK
  
    rank 2
        cpus    8-15,24-31: 8 cores, which other ranks use too; for 4 threads
        memory  node 1 first, others when it is full
        gpu     0: NVIDIA H100 80GB HBM3 at 0000:9a:00.0, node 1 by its numa_node,
                GPU-22222222-d72c-4106-c12f-20bd9faed9f6
        nic     mlx5_1
        why     GPU 0000:9a:00.0 is on node 1 (sysfs)
                all 8 cores of node 1 that the job may use
                memory of node 1 first, others when it is full
                network card mlx5_1: below the same PCI bridge (2 shared)
  
  ENVIRONMENT
  
    LOCAL_RANK=2
        from SLURM_LOCALID
    LOCAL_WORLD_SIZE=4
        from --ranks
    CUDA_VISIBLE_DEVICES=GPU-22222222-d72c-4106-c12f-20bd9faed9f6
        all GPUs of the job in its order, number 0 is this rank's; in place of
        'GPU-2222', which was set
    OMP_NUM_THREADS=4
        its share of 8 cores that it has with other ranks
  
  LIMITS AND END
  
    when a rank fails, or on a signal: SIGTERM (or the signal that asked) to all
    of them, and SIGKILL after 10 s
    when memory will run out within 10 s: a warning
  
  NOT AS IT COULD BE
  
    - the launcher shows each rank only its own GPUs, so this one cannot know
      where the others run: it gets all CPUs of its node, which they may share
    - MASTER_ADDR and MASTER_PORT not set: the launcher's variables tell nothing
      to make it of, and torch.distributed needs it, the same for all ranks

Limits and end.

  $ env -i PATH=$PATH pitcrew run --root d --dry-run --mem-max 64G --mem-high 60G --cpu-max 350% --io '8:0 rbps=1G' --io best-effort:6 --sched batch --nice 5 --oom-score 500 --stop-signal INT --grace never --checkpoint-signal USR1 --checkpoint-grace 2min --on-pressure checkpoint --pressure-horizon 30s --restart 3 | sed -n '/^LIMITS/,$p'
  LIMITS AND END
  
    memory: ended at 64 GiB; memory: slowed at 60 GiB; CPU time: 3.5 CPUs; disk
    8:0 rbps=1073741824
    scheduled as batch; nice 5; OOM score 500; disk priority best-effort:6
    when a rank fails, or on a signal: SIGUSR1 to each rank's first process, up to
    2 min to save, then SIGINT to all of them, and no SIGKILL, however long they
    take
    when memory will run out within 30 s: a warning, and the checkpoint signal
    after a failure: all ranks again, at most 3 times

As JSON:

  $ env -i PATH=$PATH pitcrew run --root d --dry-run --per-gpu 1 --format json -- python3 train.py >plan.json; python3 -c 'import json; p = json.load(open("plan.json")); print(list(p), [(r["rank"], r["cpus"], r["mems"], r["gpus"], r["nic"]) for r in p["ranks"]], p["site"]["gpus"][3], sep="\n")'
  ['schema', 'pitcrew', 'recorded', 'command', 'program', 'program_error', 'identity', 'site', 'placement', 'ranks', 'limits', 'own', 'port', 'ending', 'preload', 'rebinders', 'site_notes', 'notes']
  [(0, '0-3,16-19', '0', [0], 'mlx5_0'), (1, '4-7,20-23', '0', [1], 'mlx5_0'), (2, '8-11,24-27', '1', [2], 'mlx5_1'), (3, '12-15,28-31', '1', [3], 'mlx5_1')]
  {'uuid': 'GPU-33333333-d72c-4106-c12f-20bd9faed9f6', 'visible': 'GPU-33333333-d72c-4106-c12f-20bd9faed9f6', 'name': 'NVIDIA H100 80GB HBM3', 'pci': '0000:ab:00.0', 'mig': False, 'vendor': '10de', 'node': 1, 'node_source': 'sysfs', 'nic': 'mlx5_1', 'nic_why': 'below the same PCI bridge (2 shared)'}

For other engines:

  $ env -i PATH=$PATH pitcrew run --root d --emit torchrun --per-gpu 1 -- python3 train.py
  #!/bin/sh
  # python3: 4 ranks on 4 GPUs, planned by pitcrew run --emit torchrun
  # Several hosts: in place of --standalone give --nnodes N --rdzv_backend c10d --rdzv_endpoint HOST:PORT on each of them.
  exec torchrun --standalone --nproc_per_node 4 --no_python pitcrew run --rank-from LOCAL_RANK -- python3 train.py
  $ env -i PATH=$PATH pitcrew run --root d --emit slurm --per-gpu 1 -- python3 train.py | grep srun
  srun --kill-on-bad-exit=1 --cpu-bind=none --gpu-bind=none pitcrew run --rank-from SLURM_LOCALID -- python3 train.py
  # srun --cpu-bind=mask_cpu:0xf000f,0xf000f0,0xf000f00,0xf000f000 --mem-bind=prefer,mask_mem:0x1,0x1,0x2,0x2 COMMAND
  $ env -i PATH=$PATH pitcrew run --root d --emit numactl --per-gpu 1 -- python3 train.py | sh -n

Jobs.

  $ pitcrew run echo one -n two
  one -n two
  $ pitcrew run -- sh -c 'echo out; echo err >&2; exit 3'
  out
  err
  pitcrew: the command failed after [0-9.]+ m?s: exited with 3 \(pid [0-9]+\) (re)
    code    3
  [3]
  $ pitcrew run --ranks 2 -- sh -c 'echo rank $RANK of $WORLD_SIZE' | sort
  [0] rank 0 of 2
  [1] rank 1 of 2
  $ pitcrew run ./no-such
  pitcrew: ./no-such: No such file or directory
  [127]
  $ pitcrew run no-such-command-anywhere 2>&1 | sed 's/ (.*//'
  pitcrew: no-such-command-anywhere: command not found in PATH
  $ : >plain; pitcrew run ./plain
  pitcrew: ./plain cannot be run: it is not executable (chmod +x)
  [126]
  $ printf '#!/no/interpreter\n' >script; chmod +x script; pitcrew run ./script
  pitcrew: the command could not be started: ./script cannot be run: its first line asks for the
           interpreter '/no/interpreter', which is not there \(pid [0-9]+\) (re)
    code    127
  [127]
  $ mkdir in; printf '#!/bin/sh\npwd | sed "s,.*/,,"\n' >in/where; chmod +x in/where; pitcrew run --chdir in ./where
  in
  $ A=1 B=2 pitcrew run --env A=3 --env -B --env C=4 -- sh -c 'echo $A-$B-$C'
  3--4
  $ pitcrew run --explain true 2>&1 >/dev/null | head -1
  command  true
  $ pitcrew run --ranks 2 --log-dir logs -- sh -c 'echo out $RANK; echo err $RANK >&2'; cat logs/rank-1.out logs/rank-0.err; python3 -c 'import json; print(json.load(open("logs/report.json"))["schema"])'
  out 1
  err 0
  1
