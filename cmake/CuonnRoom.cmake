# cuonn_room(NAME SOURCES ... [ROOMS ...] [LINK ...])
#
# One room of the code (docs/architecture.md): an object library that finds the public headers, its own headers as
# "NAME/x.h", and those of the rooms that it names in ROOMS, and no others.
function(cuonn_room name)
  cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;LINK" ${ARGN})
  set(window ${CMAKE_BINARY_DIR}/rooms/${name})
  file(MAKE_DIRECTORY ${window})
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${window}/${name} SYMBOLIC)
  add_library(cuonn_${name} OBJECT ${ROOM_SOURCES})
  set_target_properties(cuonn_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
  target_include_directories(cuonn_${name} PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/include
                             PRIVATE ${window})
  foreach(room ${ROOM_ROOMS})
    target_include_directories(cuonn_${name} PRIVATE ${CMAKE_BINARY_DIR}/rooms/${room})
  endforeach()
  target_link_libraries(cuonn_${name} PRIVATE cuonn_warnings ${ROOM_LINK} m)
  set_property(GLOBAL APPEND PROPERTY CUONN_ROOMS cuonn_${name})
  set_property(GLOBAL APPEND PROPERTY CUONN_LINK ${ROOM_LINK})
endfunction()
