"""The running of a job: its log, its workers, its record of what is done."""
