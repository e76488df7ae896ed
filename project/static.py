"""Hashed, compressed static files where collectstatic has run, plain ones where it has not."""

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # it has no types
    """WhiteNoise's storage with hashed names, except that a missing manifest is no error.

    `make demo` and development machines never run collectstatic; whitenoise then serves the plain names from
    the apps' folders (WHITENOISE_USE_FINDERS).
    """

    def url(self, name: str | None, force: bool = False) -> str:
        if not self.hashed_files:
            return StaticFilesStorage.url(self, name)
        hashed: str = super().url(name, force)
        return hashed
