"""Be django-q2's cluster: `python -m profitpeek.jobs.cluster SUPERVISOR_PID`.

`manage.py qcluster` would do, but for what its processes do when one of them is killed: they live on, and take
work for nobody. Here each ends with the one that started it.
"""

import os
import signal
import sys

import django

from profitpeek.jobs.orphans import end_with_parent, let_forks_end_with_us


def main(supervisor: int) -> None:
    """Start the cluster and stay until it stops."""
    end_with_parent(supervisor, signal.SIGKILL)
    let_forks_end_with_us()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "profitpeek.settings")
    django.setup()
    # Importing these reads the settings.
    from django_q.cluster import Cluster

    from profitpeek.jobs.running import STOPPING, begin_nothing_more

    # Before the forks, which inherit it.
    signal.signal(STOPPING, begin_nothing_more)
    cluster = Cluster()
    cluster.start()
    cluster.sentinel.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
