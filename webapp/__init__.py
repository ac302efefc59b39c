"""Mien: live facial-expression recognition in the browser.

This package stays empty on purpose: a worker process imports `webapp.*` and must not pull in Flask.
"""
