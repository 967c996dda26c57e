module loiter.example/go_workers

go 1.19
