from algzoo.estimates.samplers.throughput import throughput
from algzoo.zoo import zoo_2nd_argmax


def test_both_ways_estimate_the_same_and_are_timed():
    measured = throughput(zoo_2nd_argmax(4, 3), rounds=3, seconds=0.05)
    assert abs(measured.plain_accuracy - 0.9846) < 0.005
    assert abs(measured.fast_accuracy - 0.9846) < 0.005
    assert measured.ratio == measured.fast / measured.plain
    # Well below what is measured on an idle machine, for this one may be busy.
    assert measured.ratio > 1.5
