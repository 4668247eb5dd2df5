"""The whole pipeline in one process under a seeded scheduler with virtual time: `python -m tests.simulation --help`.

| file | what it holds |
|---|---|
| `loop.py` | the event loop: virtual time, the order of tasks drawn from the seed |
| `process.py` | groups of tasks that crash, stand still and start again |
| `faults.py` | which faults a seed has, how often, and how they are drawn |
| `blocking.py` | blocking work without threads: others run between two of its transactions |
| `broker.py`, `database.py` | a process's view of the bus and of the record, with their faults |
| `channels.py`, `provider.py`, `citizens.py` | the world outside |
| `registry.py`, `registry_channel.py` | another system, into which complaints are brought, and its channel |
| `hub.py`, `world.py` | what a process runs; a seed from its start until everything is quiet |
| `laws.py`, `forward_laws.py` | what must hold then |
| `sabotage.py` | safeguards taken away, to prove that the laws notice |
"""
