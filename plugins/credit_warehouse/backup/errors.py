"""What stops a backup or a restore."""


class BackupError(RuntimeError):
    """It cannot be done as asked; the message says why and what to do."""
