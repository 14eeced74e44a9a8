@rem In sh, the exec of package.json makes npm pass signals to the launcher itself. On Windows it is this file.
@%*
