"""The workbench for all tests of the worker."""

from tests.workbench import bench as bench
