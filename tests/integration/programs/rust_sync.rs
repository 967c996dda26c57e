// The ways in which Rust's standard library makes a thread wait, all of them futexes below: Mutex,
// Condvar, channels, RwLock, Barrier, park, scoped threads.
use std::collections::VecDeque;
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::thread;
use std::time::Duration;

struct Queue {
    items: Mutex<VecDeque<u64>>,
    filled: Condvar,
}

fn consume(queue: &Queue) -> u64 {
    let mut sum = 0;
    loop {
        let mut items = queue.items.lock().unwrap();
        while items.is_empty() {
            items = queue.filled.wait(items).unwrap();
        }
        match items.pop_front().unwrap() {
            0 => return sum,
            item => sum += item,
        }
    }
}

fn produce(queue: &Queue, item: u64) {
    queue.items.lock().unwrap().push_back(item);
    queue.filled.notify_one();
}

fn main() {
    let queue = Arc::new(Queue { items: Mutex::new(VecDeque::new()), filled: Condvar::new() });
    let consumers: Vec<_> = (0..3)
        .map(|i| {
            let queue = Arc::clone(&queue);
            thread::Builder::new().name(format!("consumer {i}")).spawn(move || consume(&queue)).unwrap()
        })
        .collect();
    for item in 1..=3000 {
        produce(&queue, item);
    }
    (0..3).for_each(|_| produce(&queue, 0));
    println!("{}", consumers.into_iter().map(|c| c.join().unwrap()).sum::<u64>());

    let (to_main, from_threads) = mpsc::sync_channel(1);
    let total = RwLock::new(0u64);
    let barrier = Barrier::new(4);
    thread::scope(|scope| {
        for i in 0..4 {
            let to_main = to_main.clone();
            let (total, barrier) = (&total, &barrier);
            scope.spawn(move || {
                barrier.wait();
                *total.write().unwrap() += i;
                to_main.send(i).unwrap();
            });
        }
        thread::sleep(Duration::from_millis(300));
        println!("{}", from_threads.iter().take(4).sum::<u64>());
    });
    println!("{}", total.read().unwrap());

    let main_thread = thread::current();
    let waker = thread::spawn(move || {
        thread::sleep(Duration::from_millis(300));
        main_thread.unpark();
    });
    thread::park();
    waker.join().unwrap();
    println!("unparked");
}
