//! A bare actix handler: what the framework itself can do on this machine. The load script shows
//! the product's figures as ratios to it.

use actix_web::{App, HttpServer, web};

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:8081".to_owned());
    HttpServer::new(|| App::new().route("/", web::get().to(|| async { "hello" })))
        .workers(2)
        .bind(address)?
        .run()
        .await
}
