"""`make bench`: ratios to two baselines, side by side in one run, and docs/performance.md written from them."""
