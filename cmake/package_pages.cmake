# SPDX-License-Identifier: Apache-2.0
# cmake -DSTELLA=BINARY -DSOURCE=DIR -DINTO=DIR -P: man pages and shell completions, made by the binary that is packaged,
# laid out beneath INTO as Debian wants them beneath /usr/share.
function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_QUIET)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "failed: ${ARGV}")
  endif()
endfunction()

file(REMOVE_RECURSE ${INTO})
run(python3 -B ${SOURCE}/docs/generate_man.py ${STELLA} ${INTO}/man/man1)
file(GLOB pages ${INTO}/man/man1/*.1)
run(gzip -9 -n ${pages})  # -n: no times, so that the same binary gives the same package
foreach(place bash:bash-completion/completions/stella zsh:zsh/vendor-completions/_stella fish:fish/vendor_completions.d/stella.fish)
  string(REPLACE ":" ";" parts ${place})
  list(GET parts 0 shell)
  list(GET parts 1 file)
  get_filename_component(folder ${INTO}/${file} DIRECTORY)
  file(MAKE_DIRECTORY ${folder})
  execute_process(COMMAND ${STELLA} completion ${shell} RESULT_VARIABLE status OUTPUT_FILE ${INTO}/${file})
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "stella completion ${shell} failed")
  endif()
endforeach()
