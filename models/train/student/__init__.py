"""The student: the served network, trained in PyTorch from the teachers' bank.

`settings` says how, `network` is the CNN of `models.train.network` with the same layers under the same
names, `weights` moves weights between the two, `initialization` gives it those of the recognition network,
and `fit` trains it, in six tenths of the time that Keras takes on two cores. All but `settings` needs
requirements-train.txt.
"""
