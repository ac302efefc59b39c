"""The command line: analyze files, serve, check the installation, back up and restore."""
