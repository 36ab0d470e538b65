"""Goes on with a recorded job: ``python -m tests.support.resume URL JOB [LOCAL] [LINK] [SKIP]``; exits as the job does."""

from __future__ import annotations

import sys

from migrator import command_line, config, operations
from migrator.config import NO_SECRETS
from migrator.errors import MigratorError
from migrator.job.session import Start
from migrator.spec import JobSpec
from tests.support.jobs import Recorded


def main(url: str, name: str, local: str = "", link: str = "", skip: str = "") -> int:
    """Start the job again."""
    settings = config.load()
    for reference in filter(None, (url, link)):
        settings.reference(reference)
    try:
        recorded = Recorded.of(url, name, local=bool(local))
        spec = JobSpec.from_json(recorded.job().detail["request"])
        secrets = command_line.with_credential(NO_SECRETS, spec.credential, settings)
        start = Start(recorded.table, recorded.database, bool(skip))
        return operations.run(spec, settings.resolve, sys.stdout, secrets=secrets, start=start)
    except MigratorError as error:
        print(error)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
